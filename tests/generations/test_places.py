"""Where results go."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from workflow.generations import Generation
from workflow.generations.places import Place, film, generations_film, picture_key

PLACE = Place(home=Path("generations/gen5"), snapshot="iter_6000")


@pytest.fixture
def same_name(tmp_path: Path) -> list[Path]:
    """x.png in three folders: two of the same bytes, one of others."""
    images = [tmp_path / folder / "x.png" for folder in "abc"]
    for image, data in zip(images, (b"one", b"one", b"other"), strict=True):
        image.parent.mkdir()
        image.write_bytes(data)
    return images


def test_a_picture_is_known_by_its_name_and_its_bytes(same_name: list[Path]) -> None:
    key = hashlib.sha256(b"one").hexdigest()[:8]
    one, copy, other = map(PLACE.picture, same_name)
    assert one == copy == Path(f"generations/gen5/inspect/x-{key}-iter_6000")
    assert other.name != one.name


@pytest.mark.parametrize("place", [film, generations_film])
def test_so_it_is_in_films(place, same_name: list[Path]) -> None:
    one, copy, other = (place(Generation(5, Path("gen5")), image) for image in same_name)
    assert one == copy != other


def test_side_by_side(same_name: list[Path]) -> None:
    first, _, third = same_name
    pair, turned = PLACE.comparison([first, third]), PLACE.comparison([third, first])
    assert pair.name.startswith("x-and-x-")
    assert pair != turned
    many = PLACE.comparison(same_name * 2).name
    assert many.startswith("x-and-x-and-x-and-3-more-")
    assert PLACE.comparison([first]) == PLACE.picture(first)


def test_what_cannot_be_read_has_a_place_too(tmp_path: Path) -> None:
    assert picture_key(tmp_path / "a.png") != picture_key(tmp_path / "b.png")
    assert len(picture_key(tmp_path)) == 8


def test_exams() -> None:
    assert PLACE.exam("gen5/test") == Path("generations/gen5/evaluation/iter_6000/gen5-test")
    one, other = (PLACE.exam("pictures", elsewhere=Path(where)) for where in ("/a/pictures", "/b/pictures"))
    assert one != other
    assert one.parent == other.parent == PLACE.evaluation
    assert PLACE.exam("../..").parent == PLACE.evaluation  # a name never leaves its folder

"""The wrong pictures: which, in which order, and the folder that leads to them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workflow.errors import DataError, UsageError
from workflow.evaluation.links import cell_name, write_links
from workflow.evaluation.mistakes import Mistakes, mistakes, parse_cell
from workflow.exams.answers import Answers
from workflow.exams.picture import Picture

CLASSES = ("cat", "dog", "eel")
# path, truth, probabilities
ANSWERS = [
    ("images/a.png", "cat", (0.9, 0.05, 0.05)),
    ("images/b.png", "cat", (0.2, 0.7, 0.1)),
    ("images/c.png", "dog", (0.95, 0.05, 0.0)),
    ("images/d.png", "cat", (0.1, 0.7, 0.2)),
    ("images/e.png", "cat", (0.04, 0.0, 0.96)),
    ("images/f.png", "fox", (0.0, 0.0, 1.0)),
    ("images/g.png", None, (0.0, 0.0, 1.0)),
]


@pytest.fixture
def found(project: Path) -> Mistakes:
    """Of pictures that exist, but for images/d.png."""
    (project / "images").mkdir()
    for path, _, _ in ANSWERS:
        if path != "images/d.png":
            Image.new("RGB", (5, 4)).save(path)
    return mistakes(
        Answers(
            snapshot="gen1/iter_20",
            exam="gen1 test",
            classes=CLASSES,
            pictures=[Picture(path, "0" * 64, truth) for path, truth, _ in ANSWERS],
            probabilities=np.array([shares for _, _, shares in ANSWERS], np.float32),
        )
    )


def test_the_most_confident_come_first(found: Mistakes) -> None:
    assert [Path(one.path).stem for one in found.mistakes] == ["e", "c", "b", "d"]
    assert found.pictures == 5
    first = found.mistakes[0]
    assert (first.true, first.predicted, first.caption) == ("cat", "eel", "cat -> eel 0.96")
    assert (first.probability, first.probability_true) == pytest.approx((0.96, 0.04))
    assert found.cells == {("cat", "dog"): 2, ("cat", "eel"): 1, ("dog", "cat"): 1}
    assert next(iter(found.cells)) == ("cat", "dog")


def test_a_class_that_is_not_known_is_told(found: Mistakes, caplog: pytest.LogCaptureFixture) -> None:
    pictures = [Picture("a.png", "0" * 64, "fox"), Picture("b.png", "0" * 64, "cat")]
    shares = np.array([[0.9, 0.1, 0.0], [0.1, 0.9, 0.0]], np.float32)
    asked = Answers(snapshot="gen1/iter_20", exam="e", classes=CLASSES, pictures=pictures, probabilities=shares)
    assert len(mistakes(asked).mistakes) == 1
    assert caplog.messages == ["gen1/iter_20 does not know class 'fox': 1 picture left out"]
    with pytest.raises(DataError, match="knows none of the classes in e: 'fox'"):
        mistakes(replace(asked, pictures=pictures[:1], probabilities=shares[:1]))


def test_one_cell(found: Mistakes) -> None:
    chosen = found.within(("cat", "dog"))
    assert [Path(one.path).stem for one in chosen.mistakes] == ["b", "d"]
    document = chosen.json()
    assert (document["count"], document["cell"], document["pictures"]) == (2, ["cat", "dog"], 5)
    assert list(document["mistakes"][0]) == [
        "path",
        "sha256",
        "true",
        "predicted",
        "probability",
        "probability_true",
        "link",
    ]
    assert found.within(("eel", "dog")).mistakes == ()


@pytest.mark.parametrize(
    ("text", "classes", "cell"),
    [
        ("cat:dog", CLASSES, ("cat", "dog")),
        ("a:b:c", ("a:b", "c"), ("a:b", "c")),
        ("a:b:c", ("a", "b:c"), ("a", "b:c")),
    ],
)
def test_cells_are_read(text: str, classes: tuple[str, ...], cell: tuple[str, str]) -> None:
    assert parse_cell(text, classes) == cell


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("cat", "expected two classes with a colon between", "--cell TRUE:PREDICTED"),
        ("cat:bog", "knows no class 'bog'", "did you mean 'dog'?"),
        ("cta:dog", "knows no class 'cta'", "did you mean 'cat'?"),
        ("cat:cat", "pictures of 'cat' predicted as 'cat' are right", None),
    ],
)
def test_cells_that_are_none(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_cell(text, CLASSES)
    assert caught.value.hint == hint


def test_links_lead_to_the_pictures(found: Mistakes, project: Path) -> None:
    linked = write_links(Path("out/mistakes"), found)
    names = sorted(str(path.relative_to("out/mistakes")) for path in Path("out/mistakes").rglob("*.png"))
    assert names == ["cat-as-dog/3-0.7000-b.png", "cat-as-eel/1-0.9600-e.png", "dog-as-cat/2-0.9500-c.png"]
    for one in linked.mistakes[:3]:
        assert one.link is not None
        assert Path(one.link).resolve() == Path(one.path).resolve()
        assert not os.path.isabs(os.readlink(one.link))  # noqa: PTH115, PTH117
    assert linked.mistakes[3].link is None  # d.png is gone
    project.rename(project.with_name("moved"))
    os.chdir(project.with_name("moved"))
    assert Path("out/mistakes/cat-as-eel/1-0.9600-e.png").is_file()


def test_the_folder_is_replaced_as_a_whole(found: Mistakes) -> None:
    write_links(Path("mistakes"), found)
    write_links(Path("mistakes"), found.within(("dog", "cat")))
    assert [path.name for path in Path("mistakes").rglob("*.png")] == ["1-0.9500-c.png"]
    assert sorted(path.name for path in Path().iterdir()) == ["images", "mistakes"]
    write_links(Path("mistakes"), found.within(("eel", "dog")))
    assert not list(Path("mistakes").rglob("*.png"))


def test_a_folder_of_somebody_else_is_left_alone(found: Mistakes) -> None:
    Path("mistakes").mkdir()
    write_links(Path("mistakes"), found)  # an empty one may be taken
    Path("theirs").mkdir()
    Path("theirs/letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="theirs was not made by wf"):
        write_links(Path("theirs"), found)
    assert Path("theirs/letter.txt").read_text() == "dear"
    assert sorted(path.name for path in Path().iterdir()) == ["images", "mistakes", "theirs"]


def test_copies_where_links_cannot_be_made(found: Mistakes, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: object) -> None:
        raise PermissionError(1, "Operation not permitted")  # what vfat says

    monkeypatch.setattr(Path, "symlink_to", refuse)
    link = write_links(Path("mistakes"), found).mistakes[0].link
    assert link is not None
    assert not Path(link).is_symlink()
    assert Path(link).read_bytes() == Path("images/e.png").read_bytes()


def test_long_and_odd_names(found: Mistakes) -> None:
    long = Path("images") / ("é" * 120 + ".png")
    long.write_bytes(b"x")
    one = replace(found.mistakes[0], path=str(long.absolute()), true="../a/b", predicted="")
    link = write_links(Path("mistakes"), replace(found, mistakes=(one,))).mistakes[0].link
    assert link is not None
    assert Path(link).resolve() == long.resolve()
    assert Path(link).parent.parent == Path("mistakes")
    assert Path(link).suffix == ".png"
    assert cell_name((".", "c")) == "_-as-c"

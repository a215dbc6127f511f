"""Contact sheets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workflow.report.contact_sheet import TILE, sheet, write_sheets

RED, GREEN = (255, 0, 0), (0, 255, 0)


def picture(path: Path, width: int, height: int) -> Path:
    """Red, but for a green pixel in the upper left corner."""
    image = Image.new("RGB", (width, height), RED)
    image.putpixel((0, 0), GREEN)
    image.save(path)
    return path


def test_small_pictures_are_enlarged_pixel_by_pixel(tmp_path: Path) -> None:
    found = np.asarray(sheet([(picture(tmp_path / "a.png", 32, 16), "cat -> dog 0.98")]))
    factor = TILE // 32
    green = np.argwhere((found == GREEN).all(-1))
    top, left = green.min(0)
    assert len(green) == factor * factor
    assert green.max(0).tolist() == [top + factor - 1, left + factor - 1]
    assert (
        found[top : top + 16 * factor, left : left + 32 * factor].reshape(-1, 3)[:, 2] == 0
    ).all()  # no third colour
    assert (found == RED).all(-1).sum() == 32 * 16 * factor**2 - factor**2


def test_large_pictures_are_shrunk_in_their_own_shape(tmp_path: Path) -> None:
    found = np.asarray(sheet([(picture(tmp_path / "a.png", 1000, 500), "x")]))
    red = np.argwhere((found == RED).all(-1))
    height, width = red.max(0) - red.min(0) + 1
    assert (width, height) == (TILE, TILE // 2)


def test_rows_and_columns(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png", 8, 8)
    one = sheet([(path, "x")])
    assert sheet([(path, "x")] * 3, columns=3).height == one.height
    assert sheet([(path, "x")] * 4, columns=3).height > sheet([(path, "x")] * 3, columns=3).height
    assert sheet([(path, "x")] * 4).size == sheet([(path, "x")] * 3, columns=2).size
    assert sheet([(path, "x")] * 200).width == sheet([(path, "x")] * 100).width


def test_long_captions_are_wrapped_and_cut(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png", 8, 8)
    short = sheet([(path, "cat -> dog 0.98")])
    long = sheet([(path, "the long-eared hedgehog -> the lesser hedgehog tenrec 0.98")])
    assert long.width == short.width
    assert long.height > short.height
    assert sheet([(path, "x" * 300)]).size == short.size
    assert sheet([(path, "first\nsecond")]).height > short.height


def test_a_picture_that_is_gone_or_broken_leaves_a_note(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture at all")
    good = picture(tmp_path / "a.png", 8, 8)
    found = sheet([(tmp_path / "gone.png", "x"), (tmp_path / "bad.png", "y"), (good, "z")], columns=3)
    assert (np.asarray(found) == RED).all(-1).any()
    assert found.size == sheet([(good, "x")] * 3, columns=3).size


@pytest.mark.parametrize(("count", "pages"), [(0, 0), (2, 1), (4, 1), (5, 2), (9, 3)])
def test_pages(tmp_path: Path, count: int, pages: int) -> None:
    path = picture(tmp_path / "a.png", 8, 8)
    out = tmp_path / "out" / "mistakes.png"
    for number in range(2, 6):  # what an earlier run left
        out.parent.mkdir(exist_ok=True)
        out.with_stem(f"mistakes-{number}").write_bytes(b"old")
    out.write_bytes(b"old")
    (out.parent / "mistakes-cat-as-dog.png").write_bytes(b"another")
    written = write_sheets([(path, "x")] * count, out, page=4)
    names = ["mistakes.png", "mistakes-2.png", "mistakes-3.png"][:pages]
    assert [one.name for one in written] == names
    left = {one.name for one in out.parent.iterdir()} - {"mistakes-cat-as-dog.png"}
    assert left == set(names)

"""Pictures of nothing."""

from __future__ import annotations

from pathlib import Path

from workflow.demo.drawing import OTHER, picture
from workflow.demo.junk import draw_junk


def test_every_kind_the_same_each_time(tmp_path: Path) -> None:
    first = draw_junk(tmp_path / "a", count=8)
    second = draw_junk(tmp_path / "b", count=8)
    assert {path.parent.name for path in first} == {"diagram", "scene", "shapes", "letters"}
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert len({path.read_bytes() for path in first}) == 8


def test_none_is_a_picture_of_the_set(tmp_path: Path) -> None:
    from PIL import Image

    trained = {picture(OTHER, number).tobytes() for number in range(200)}
    for path in draw_junk(tmp_path, count=40):
        with Image.open(path) as drawn:
            assert drawn.tobytes() not in trained

"""wf dream."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from running import Run


def test_json(trained: Run) -> None:
    document = trained("dream", "--class", "character", "--steps", "8", "--seeds", "2", "--json").json
    assert document["class"] == "character"
    assert 0 <= document["natural_percentile"] <= 100
    assert 0 <= document["probability"] <= 1
    assert document["snapshot"] == "gen1/iter_2"
    assert len(document["seeds"]) == 2
    pictures = {name: Path(path) for name, path in document["pictures"].items()}
    assert set(pictures) == {"picture", "film", "sheet"}
    with Image.open(pictures["film"]) as film:
        assert film.n_frames > 1
    assert pictures["picture"].parent == Path("generations/gen1/vision/iter_2/dream")


def test_units(trained: Run) -> None:
    ran = trained("dream", "--unit", "conv1:3", "--unit", "conv1:5", "--steps", "4", "--out", "there")
    assert "unit conv1:3" in ran.out
    assert Path("there/conv1_5-sheet.png").is_file()


def test_all_classes(trained: Run) -> None:
    document = trained("dream", "--steps", "4", "--seeds", "1", "--json").json
    assert [one["class"] for one in document["dreams"]] == ["character", "other"]

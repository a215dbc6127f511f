"""wf maps."""

from __future__ import annotations

from pathlib import Path

from running import Run

IMAGE = "images/character/0000.png"


def test_json(trained: Run) -> None:
    document = trained("maps", IMAGE, "--method", "grad-cam", "--class", "other", "--json").json
    assert document["method"] == "grad-cam"
    assert document["target"] == document["class"] == "other"
    assert 0 <= document["deletion"] <= 1
    assert 0 <= document["insertion"] <= 1
    assert document["snapshot"] == "gen1/iter_2"
    assert Path(document["pictures"]["maps"]).stat().st_size > 10_000


def test_words_for_people(trained: Run) -> None:
    ran = trained("maps", IMAGE, "--method", "saliency", "--method", "occlusion", "--unit", "conv3:1", "--out", "there")
    assert "unit conv3:1" in ran.out
    assert "random" in ran.out
    assert ran.out.rstrip().endswith("there/maps-conv3_1.png")


def test_one_target_only(trained: Run) -> None:
    assert "--class and --unit" in trained("maps", IMAGE, "--class", "other", "--unit", "conv3:1", code=2).err

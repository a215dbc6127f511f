"""wf twin."""

from __future__ import annotations

from pathlib import Path

from running import Run

IMAGE = "images/character/0000.png"


def test_json_and_words(learnt: Run) -> None:
    document = learnt("twin", IMAGE, "--json").json
    assert document["snapshot"] == "gen1/iter_60"
    assert document["nearest"]["label"] == document["class"]
    assert "joins_at" in document
    assert 0 <= document["deletion"] <= 1
    assert Path(document["pictures"]["twin"]).stat().st_size > 50_000
    ran = learnt("twin", IMAGE, "--blob", "conv3", "--out", "there")
    assert "nearest true positive" in ran.out
    assert "of conv3 the answer is another class" in ran.out or "all channels of conv3" in ran.out
    assert Path("there/twin.png").is_file()


def test_no_such_class(trained: Run) -> None:
    assert "no class 'charakter'" in trained("twin", IMAGE, "--class", "charakter", code=2).err

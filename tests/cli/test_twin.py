"""wf twin."""

from __future__ import annotations

from pathlib import Path

from running import Run

IMAGE = "images/test/circle/2.png"


def test_json_and_words(three: Run) -> None:
    document = three("twin", IMAGE, "--json").json
    assert document["snapshot"] == "gen3/iter_20"
    assert document["nearest"]["label"] == document["class"]
    assert "joins_at" in document
    assert 0 <= document["deletion"] <= 1
    assert Path(document["pictures"]["twin"]).stat().st_size > 50_000
    ran = three("twin", IMAGE, "--blob", "pool", "--out", "there")
    assert "nearest true positive" in ran.out
    assert "of pool the answer is another class" in ran.out or "all channels of pool" in ran.out
    assert Path("there/twin.png").is_file()


def test_no_such_class(three: Run) -> None:
    assert "no class 'cirkle'" in three("twin", IMAGE, "--class", "cirkle", code=2).err

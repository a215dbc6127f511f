"""wf junk."""

from __future__ import annotations

import shutil
from pathlib import Path

from running import Run

from workflow.demo.drawing import draw


def drawn() -> Path:
    """30 pictures of other things, that no generation knows."""
    draw(Path("drawn"), count=60, seed=99)
    shutil.move("drawn/other", "junk")
    return Path("junk")


def test_json(trained: Run) -> None:
    folder = drawn()
    (folder / "broken.png").write_bytes(b"")
    ran = trained("junk", str(folder), "--max-rate", "0.1", "--json")
    document = ran.json
    assert document["classes"] == ["character"]
    assert document["count"] == 30
    assert document["false_accept_rate"] < 0.1
    assert document["threshold"] == document["generations"][0]["threshold"]
    assert Path(document["pictures"]["curve"]).name == "junk.png"
    assert all(Path(path).exists() for path in document["pictures"].values())
    assert "skipped junk/broken.png" in ran.err


def test_words_for_people(trained: Run) -> None:
    ran = trained("junk", str(drawn()), "--class", "other", "--threshold", "0.1", "--out", "there")
    assert "30 pictures of junk; accepted means labelled 'other'" in ran.out
    assert "gen1/iter_2 at other thresholds" in ran.out
    assert "30 accepted by gen1/iter_2" in ran.out
    assert Path("there/absurdities.png").exists()
    assert "30 pictures are too few for a rate under 0.01" in ran.err


def test_an_unknown_class(trained: Run) -> None:
    assert "did you mean 'other'?" in trained("junk", "images/other", "--class", "othr", code=2).err

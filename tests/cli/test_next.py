"""wf next."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from running import Run

from workflow.demo.drawing import draw


def pile() -> str:
    """40 new pictures and 5 that the generation has."""
    draw(Path("pile"), count=40, seed=98)
    for index in range(5):
        shutil.copy(f"images/other/000{index}.png", f"pile/known{index}.png")
    return "pile"


def test_json(trained: Run) -> None:
    document = trained("next", pile(), "--count", "8", "--json").json
    assert (document["count"], document["known"], len(document["next"])) == (45, 5, 8)
    assert document["weights"].keys() == {"margin", "novelty"}
    with Path(document["csv"]).open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == [one["path"] for one in document["next"]]
    assert Path(document["sheets"][0]).name == "next.png"


def test_words_for_people(trained: Run) -> None:
    ran = trained("next", pile(), "--count", "3", "--out", "there")
    lines = ran.out.splitlines()
    assert lines[0] == "3 of 45 pictures of pile to label next"
    assert "left out: 5 that a generation has" in ran.out
    assert lines[-2:] == ["there/next.csv", "there/next.png"]


def test_nothing_to_label(trained: Run) -> None:
    ran = trained("next", "images/other", "--out", "there")
    assert ran.out.startswith("0 of 30 pictures")
    assert ran.out.rstrip().endswith("there/next.csv")

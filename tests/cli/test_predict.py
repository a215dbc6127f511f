"""wf predict."""

from __future__ import annotations

import csv
from pathlib import Path

from running import Run

IMAGE = "images/character/0000.png"


def test_json_for_a_folder(trained: Run) -> None:
    Path("images/other/broken.png").write_bytes(b"")
    ran = trained("predict", "images/other", IMAGE, "--json")
    document = ran.json
    assert len(document["predictions"]) == 31
    first = document["predictions"][-1]
    assert first["path"] == IMAGE
    assert first["probability"] == max(first["probabilities"].values())
    assert first["label"] in first["probabilities"]
    assert [one["path"] for one in document["skipped"]] == ["images/other/broken.png"]
    assert "skipped images/other/broken.png" in ran.err


def test_lines_for_people_and_a_table(trained: Run) -> None:
    ran = trained("predict", "images/other", "--snapshot", "best", "--csv", "out/labels.csv")
    lines = ran.out.splitlines()
    assert len(lines) == 31
    assert len({line.index("images/") for line in lines[:-1]}) == 1  # in columns
    assert lines[0].endswith("images/other/0000.png")
    assert lines[-1].startswith("gen1/iter_2: ")
    with Path("out/labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 30
    assert set(rows[0]) == {"path", "label", "probability", "character", "other"}


def test_a_missing_path(trained: Run) -> None:
    assert "imag does not exist" in trained("predict", "imag", code=2).err

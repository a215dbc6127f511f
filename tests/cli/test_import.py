"""wf import, and what the other commands make of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from running import Run

FILES = ("train_test", "deploy", "solver")


def test_a_project_of_old_can_be_judged_and_compared(trained: Run) -> None:
    """The files of a generation as if another program had left them."""
    old, ours = Path("old"), Path("generations/gen1")
    old.mkdir()
    for split in ("train", "test"):
        shutil.copytree(ours / "dataset" / f"{split}_lmdb", old / f"{split}_lmdb")
    for name in ("mean.binaryproto", "labels.txt"):
        shutil.copy(ours / "dataset" / name, old)
    for name in FILES:
        shutil.copy(ours / "prototxt" / f"{name}.prototxt", old)
    for path in ours.glob("snapshots/*iter_2.*"):
        shutil.copy(path, old)
    ran = trained("import", "old", "--channel-order", "RGB", "--json")
    assert ran.json["generation"] == 0
    assert ran.json["snapshots"] == [2]
    counts = json.loads((ours / "generation.json").read_text())["counts"]
    assert [ran.json[split] for split in ("train", "test")] == [
        sum(counts[split].values()) for split in ("train", "test")
    ]
    expected = trained("evaluate", "--gen", "1", "--json").json
    assert trained("evaluate", "--gen", "0", "--json").json["accuracy"] == expected["accuracy"]
    assert trained("diff", "gen0", "gen1").code == 0
    shown = trained("inspect", "images/character/0000.png", "--snapshot", "gen0/iter_2").out
    assert "probabilities" in shown
    assert "exists already" in trained("import", "old", code=2).err


def test_what_was_found_is_said(trained: Run) -> None:
    data = "generations/gen1/dataset"
    out = trained("import", f"{data}/train_lmdb", f"{data}/test_lmdb", "--channel-order", "RGB").out
    assert "RGB, 2 classes" in out
    assert "the mean was computed" in out
    assert "--labels FILE" in out
    assert "wf train --gen 0" in out
    ran = trained("train", "--gen", "0", "--max-iter", "1", "--json")
    assert ran.json["generation"] == 0
    assert ran.json["iterations"] == 1

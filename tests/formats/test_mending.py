"""Hints that help and destroy nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import workflow
from workflow.errors import DatabaseError
from workflow.formats.lmdb import Reader
from workflow.formats.mending import make_again


def test_a_data_set_of_ours_becomes_the_next_generation():
    said = "wf prepare makes the next generation from the pictures; generation 5 and its snapshots stay"
    assert make_again(Path("generations/gen5/dataset/train_lmdb/data.mdb")) == said
    assert make_again("gen5/dataset") == said


@pytest.mark.parametrize("path", ["train_lmdb", "/data/imagenet_train_lmdb/data.mdb", "gen5/other/train_lmdb"])
def test_a_database_from_elsewhere_is_not_prepared(path):
    assert make_again(path) == "copy it again, or make it again from its pictures"


@pytest.mark.parametrize("folder", ["generations/gen2/dataset/train_lmdb", "theirs_lmdb"])
def test_a_damaged_database_says_which(tmp_path, folder):
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "data.mdb").write_bytes(b"")
    with pytest.raises(DatabaseError) as caught:
        len(Reader(tmp_path / folder))
    assert caught.value.hint == make_again(folder)


def test_no_hint_sends_a_generation_to_be_replaced():
    """--force replaces a generation; only what speaks of the flag itself may name it."""
    root = Path(workflow.__file__).parent
    allowed = {"data/place.py", "data/prepare.py", "cli/prepare.py", "faults.py"}
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if re.search(r"--force\b", path.read_text(encoding="utf-8"))
    }
    assert found == allowed

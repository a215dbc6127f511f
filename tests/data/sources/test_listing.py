"""What is found in folders, tars and lists, as items for those who read them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from packing import pack

from workflow.data.sources import reading
from workflow.data.sources.listing import items, listed
from workflow.errors import DataError, UsageError


@pytest.fixture
def pile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pile/ with two files, a tar of two, and a hidden one; the current folder is the one above."""
    (tmp_path / "pile").mkdir()
    for name in ("b 2", "a.jpg", ".hidden.jpg"):
        (tmp_path / "pile" / name).write_bytes(name.encode())
    pack(tmp_path / "pile" / "c.tar", {"z.jpg": b"z", "y/x.jpg": b"x"})
    monkeypatch.chdir(tmp_path)
    return Path("pile")


def told(found) -> list[tuple[str, bytes]]:
    return [(os.fsdecode(item.partition(b"\0")[0]), reading.read(item, 100)[0]) for item in found]


def test_a_folder_with_a_tar_in_it(pile):
    found = [("pile/a.jpg", b"a.jpg"), ("pile/b 2", b"b 2"), ("pile/c.tar/z.jpg", b"z"), ("pile/c.tar/y/x.jpg", b"x")]
    assert told(items(pile, [])) == found
    assert [reading.whole(path) for path, _ in found] == [data for _, data in found]
    assert all(reading.exists(path) for path, _ in found)
    sizes = [reading.size(item) for item in items(pile, [])]
    assert sizes == [5, 3, 1, 1]
    assert told(items("pile/c.tar/z.jpg", [])) == [found[2]]
    assert reading.state(b"pile/c.tar/z.jpg") == reading.state(b"pile/c.tar") != reading.state(b"pile/a.jpg")
    for path in ("pile/c.tar/w.jpg", "pile/a.jpg/b", "pile/d.jpg"):
        assert reading.state(path.encode()) is None
        assert not reading.exists(path)
        with pytest.raises(UsageError, match="does not exist"):
            list(items(path, []))


def test_p40_a_damaged_tar_is_refused_if_it_is_named_and_skipped_in_a_folder(pile):
    (pile / "c.tar").write_bytes(b"no tar")
    refused = []
    assert [path for path, _ in told(items(pile, refused))] == ["pile/a.jpg", "pile/b 2"]
    assert refused == [("pile/c.tar", "is not a tar, or damaged (truncated header)")]
    with pytest.raises(DataError, match="pile/c.tar is not a tar"):
        list(items("pile/c.tar", []))


def test_a_list_is_relative_to_its_folder(pile):
    lines = ["a.jpg", "b 2", "a.jpg 7", "c.tar/z.jpg", "c.tar", "gone.jpg 3", "../pile", "c.tar/gone.jpg", "a.jpg/x"]
    (pile / "list.txt").write_text("\n".join([*lines, f"{pile.resolve()}/a.jpg"]))
    refused = []
    assert told(listed(pile / "list.txt", refused)) == [
        ("pile/a.jpg", b"a.jpg"),
        ("pile/b 2", b"b 2"),  # though it looks like a path and a label
        ("pile/a.jpg", b"a.jpg"),
        ("pile/c.tar/z.jpg", b"z"),
        ("pile/c.tar/z.jpg", b"z"),
        ("pile/c.tar/y/x.jpg", b"x"),
        (f"{pile.resolve()}/a.jpg", b"a.jpg"),
    ]
    assert refused == [
        ("pile/gone.jpg", "does not exist (pile/list.txt:6)"),
        ("pile/../pile", "is a folder, not a picture (pile/list.txt:7)"),
        ("pile/c.tar/gone.jpg", "does not exist (pile/list.txt:8)"),
        ("pile/a.jpg/x", "does not exist (pile/list.txt:9)"),
    ]

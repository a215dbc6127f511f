"""images.jsonl."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.data.manifest import image_line, read, write_skipped
from workflow.data.scan import Skipped
from workflow.errors import DataError


@given(st.lists(st.tuples(st.text(st.characters()), st.text(min_size=1), st.sampled_from(["train", "test"]))))
def test_reads_what_it_writes(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("manifest") / "images.jsonl"
    lines = [image_line(name, "ab" * 32, label, split, 7) for name, label, split in rows]
    assert all(line.count("\n") == 1 for line in lines)
    path.write_text("".join(lines), encoding="utf-8")
    assert [(one.path, one.class_name, one.split) for one in read(path)] == rows


def test_p22_names_that_are_not_utf8_keep_their_bytes(tmp_path):
    line = image_line("caf\udce9.png", "00" * 32, "cat", "train", 1)
    assert "\\udce9" in line
    (tmp_path / "images.jsonl").write_bytes(line.encode())
    (image,) = read(tmp_path / "images.jsonl")
    assert image.path.encode("utf-8", "surrogateescape") == b"caf\xe9.png"


def test_skipped_files_are_listed_but_are_no_pictures(tmp_path):
    path = tmp_path / "images.jsonl"
    with path.open("w") as file:
        write_skipped(file, [Skipped(path="b", reason="is empty", kind="empty"),
                             Skipped(path="a", reason="is truncated", kind="truncated")])  # fmt: skip
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"path": "a", "reason": "is truncated"},
        {"path": "b", "reason": "is empty"},
    ]
    assert list(read(path)) == []


@pytest.mark.parametrize("line", ['{"path": "a"}', "[]", "{", '"text"', "7"])
def test_damaged_lines_are_named(tmp_path, line):
    path = tmp_path / "images.jsonl"
    path.write_text(image_line("a", "00" * 32, "cat", "train", 1) + line + "\n")
    with pytest.raises(DataError, match=r"line 2 of .*images\.jsonl is damaged"):
        list(read(path))


def test_missing(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        list(read(tmp_path / "images.jsonl"))


@pytest.mark.parametrize("split", ["train", "test"])
def test_one_split_alone(tmp_path, split):
    path = tmp_path / "images.jsonl"
    tricky = 'a "split": "test" and a "train".png'
    lines = [
        image_line(tricky, "0" * 64, "test", "train", 1),
        image_line(tricky, "1" * 64, "train", "test", 2),
    ]
    path.write_text("".join(lines))
    assert list(read(path, split)) == [one for one in read(path) if one.split == split] != []

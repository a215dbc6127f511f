"""images.jsonl."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.data.found import Skipped
from workflow.data.manifest import image_line, read, write_skipped
from workflow.errors import DataError
from workflow.generations import Generation


def in_folder(folder: Path, project: Path = Path()) -> Generation:
    one = Generation(1, folder, project=project)
    one.dataset.mkdir(exist_ok=True)
    return one


@given(st.lists(st.tuples(st.text(st.characters()), st.text(min_size=1), st.sampled_from(["train", "test"]))))
def test_reads_what_it_writes(tmp_path_factory, rows):
    one = in_folder(tmp_path_factory.mktemp("manifest"))
    lines = [image_line(name, "ab" * 32, label, split, 7) for name, label, split in rows]
    assert all(line.count("\n") == 1 for line in lines)
    one.manifest.write_text("".join(lines), encoding="utf-8")
    assert [(image.path, image.class_name, image.split) for image in read(one)] == rows


def test_p22_names_that_are_not_utf8_keep_their_bytes(tmp_path):
    line = image_line("caf\udce9.png", "00" * 32, "cat", "train", 1)
    assert "\\udce9" in line
    one = in_folder(tmp_path)
    one.manifest.write_bytes(line.encode())
    (image,) = read(one)
    assert image.path.encode("utf-8", "surrogateescape") == b"caf\xe9.png"


def test_skipped_files_are_listed_but_are_no_pictures(tmp_path):
    one = in_folder(tmp_path)
    with one.manifest.open("w") as file:
        write_skipped(file, one, [Skipped(path="b", reason="is empty", kind="empty"),
                             Skipped(path="a", reason="is truncated", kind="truncated")])  # fmt: skip
    assert [json.loads(line) for line in one.manifest.read_text().splitlines()] == [
        {"path": "a", "reason": "is truncated"},
        {"path": "b", "reason": "is empty"},
    ]
    assert list(read(one)) == []


@pytest.mark.parametrize("line", ['{"path": "a"}', "[]", "{", '"text"', "7"])
def test_damaged_lines_are_named(tmp_path, line):
    one = in_folder(tmp_path)
    one.manifest.write_text(image_line("a", "00" * 32, "cat", "train", 1) + line + "\n")
    with pytest.raises(DataError, match=r"line 2 of .*images\.jsonl is damaged"):
        list(read(one))


def test_missing(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        list(read(in_folder(tmp_path)))


@pytest.mark.parametrize("split", ["train", "test"])
def test_one_split_alone(tmp_path, split):
    one = in_folder(tmp_path)
    tricky = 'a "split": "test" and a "train".png'
    lines = [
        image_line(tricky, "0" * 64, "test", "train", 1),
        image_line(tricky, "1" * 64, "train", "test", 2),
    ]
    one.manifest.write_text("".join(lines))
    assert list(read(one, split)) == [image for image in read(one) if image.split == split] != []


def test_paths_are_relative_to_the_project_in_the_file_and_can_be_opened_when_read(tmp_path):
    one = in_folder(tmp_path, project=Path("/home/me/mybot"))
    found = ["/home/me/mybot/images/a.png", "/home/me/mybot/../other/b.png", "/home/me/mybot2/c.png"]
    written = [one.recorded(path) for path in found]
    assert written == ["images/a.png", "../other/b.png", "/home/me/mybot2/c.png"]
    one.manifest.write_text("".join(image_line(path, "0" * 64, "cat", "train", 1) for path in written))
    assert [image.path for image in read(one)] == found
    here = in_folder(tmp_path)
    assert [here.recorded(path) for path in written] == [image.path for image in read(here)] == written

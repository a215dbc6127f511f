"""Lists of pictures, and what is wrong with a line of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.data.sources.lists import Line, Lines, without_label
from workflow.errors import DataError, UsageError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "list.txt"


def test_a_label_is_behind_the_last_space_as_convert_imageset_reads_it(source):
    source.write_bytes(b"\xef\xbb\xbfcat/1.jpg 0\r\n\n  a b.jpg 12\n/abs \xff.jpg\t3\n1 1")
    assert list(Lines(source, labelled=True)) == [
        Line(1, "cat/1.jpg", "0"), Line(3, "a b.jpg", "12"), Line(4, "/abs \udcff.jpg", "3"), Line(5, "1", "1")
    ]  # fmt: skip


def test_without_labels_a_line_is_a_path(source):
    source.write_text("cat/1.jpg 0\nmy cat 3.jpg\n")
    assert [line.text for line in Lines(source, labelled=False)] == ["cat/1.jpg 0", "my cat 3.jpg"]
    assert [without_label(text) for text in ("cat/1.jpg 0", "my cat 3.jpg", "7", "a 7 8")] == [
        "cat/1.jpg", "my cat 3.jpg", "7", "a 7"
    ]  # fmt: skip


def test_p41_all_wrong_lines_are_named_behind_the_last(source):
    source.write_text("1.jpg cat\n2.jpg 1\n3.jpg\n4.jpg -1\n5\x00.jpg 1\n6.jpg 1.5\n7.jpg 2\n")
    lines = Lines(source, labelled=True)
    found = []
    with pytest.raises(DataError) as caught:
        found.extend(lines)
    assert [line.number for line in found] == [2, 7]
    assert caught.value.fault == "P41"
    assert caught.value.message == (
        f"{source}:1: label 'cat' is not a whole number; expected 'path label'; wrong, too: line 3, 4, 5, …"
    )
    assert caught.value.at.line == 1


def test_p41_lines_of_other_files(source):
    source.write_bytes("a.jpg\n".encode("utf-16"))
    with pytest.raises(DataError, match=r"list.txt:1: holds a zero byte.*UTF-16"):
        list(Lines(source, labelled=False))
    source.write_bytes(b"a.jpg\n" + b"x" * 300_000 + b"\nb.jpg\n")
    lines, found = Lines(source, labelled=False), []
    with pytest.raises(DataError, match=r"list.txt:2: is longer than 65,536 bytes\n"):
        found.extend(lines)
    assert [line.text for line in found] == ["a.jpg", "b.jpg"]


def test_p01_no_such_list(source, tmp_path):
    with pytest.raises(UsageError, match="list.txt does not exist"):
        Lines(source, labelled=True)
    with pytest.raises(UsageError, match="is not a file, expected a list"):
        Lines(tmp_path, labelled=True)

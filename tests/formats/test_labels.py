from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.errors import ModelError
from workflow.formats.labels import read, write

names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda name: name == name.strip())


@given(st.lists(names, min_size=1, unique=True))
def test_round_trip(tmp_path_factory, classes):
    path = tmp_path_factory.getbasetemp() / "labels.txt"
    write(path, classes)
    assert read(path) == tuple(classes)


def test_line_ends_of_windows_and_empty_lines_at_the_end(text_file):
    assert read(text_file("labels.txt", b"\xef\xbb\xbfcat\r\nbig dog\r\n\r\n")) == ("cat", "big dog")


@pytest.mark.parametrize(
    ("data", "message", "line"),
    [
        (b"", "is empty", 0),
        (b"\n \n", "is empty", 0),
        (b"cat\n\ndog\n", "a line without a class name", 2),
        (b"cat\ndog\ncat\n", "class 'cat' twice, first on line 1", 3),
        (b"cat\nd\x00g\n", r"'d\\x00g' is not a class name", 2),
        (b"cat\ncaf\xe9\n", "not UTF-8", 2),
    ],
)
def test_what_is_refused_and_where(text_file, data, message, line):
    with pytest.raises(ModelError, match=message) as caught:
        read(text_file("labels.txt", data))
    assert (caught.value.at.line if caught.value.at else 0) == line


def test_missing(tmp_path):
    with pytest.raises(ModelError, match="does not exist"):
        read(tmp_path / "labels.txt")


@pytest.mark.parametrize("classes", [[], ["cat", "cat"], ["cat", ""], ["a\nb"], [" cat"], ["caf\udce9"]])
def test_names_that_lines_cannot_hold(tmp_path, classes):
    with pytest.raises(ModelError):
        write(tmp_path / "labels.txt", classes)
    assert not list(tmp_path.iterdir())

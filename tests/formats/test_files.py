from __future__ import annotations

import os
from pathlib import Path

import pytest

from workflow.errors import DataError, EnvironmentFault
from workflow.formats.files import missing, read_whole


def test_the_bytes_as_they_are(text_file):
    assert read_whole(text_file("x", b"\x00\r\n"), error=DataError) == b"\x00\r\n"


def test_a_named_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="not a regular file"):
        read_whole(tmp_path / "pipe", error=DataError)


def test_over_the_limit(text_file):
    with pytest.raises(DataError, match="has 3 bytes; at most 2 are read"):
        read_whole(text_file("x", b"abc"), error=DataError, limit=2)


def test_what_the_system_refuses(tmp_path):
    with pytest.raises(EnvironmentFault, match="cannot read"):
        read_whole(tmp_path / ("x" * 300), error=DataError)


def test_a_web_address_is_called_one(tmp_path):
    for address in ("https://example.org/cat.png", "http://example.org/a/b.npy"):
        message, hint = missing(Path(address))  # Path folds the two slashes
        assert message == f"{address} is a web address; wf reads files"
        assert hint.endswith(f"curl -LO {address}")


def test_only_a_name_that_is_like_it_is_suggested(text_file, tmp_path):
    text_file("b.jpg", b"")
    message, hint = missing(Path("s3://bucket/x.jpg?token=secret"))
    assert message == "s3://bucket/x.jpg?… is an address"
    assert "download it first" in hint
    assert missing(Path("notes:/x.jpg"))[0] == "notes:/x.jpg does not exist"
    assert missing(tmp_path / "nix.jpg")[1] == "check the path"
    text_file("kitten.png", b"")
    assert missing(tmp_path / "kiten.jpg")[1] == f"did you mean {tmp_path / 'kitten.png'}?"


def test_a_file_that_lacks_is_told_the_closest_name(text_file, tmp_path):
    text_file("solver.prototxt", b"")
    with pytest.raises(DataError, match="does not exist") as caught:
        read_whole(tmp_path / "solvr.prototxt", error=DataError)
    assert caught.value.hint == f"did you mean {tmp_path / 'solver.prototxt'}?"
    with pytest.raises(DataError, match="does not exist") as caught:
        read_whole(tmp_path / "no" / "mean", error=DataError)
    assert caught.value.hint == "check the path"

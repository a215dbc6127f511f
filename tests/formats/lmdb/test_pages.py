from __future__ import annotations

import os

import pytest

from workflow.errors import DatabaseError
from workflow.formats.lmdb import Reader, Writer
from workflow.formats.lmdb.pages import missing_at_end


@pytest.fixture
def last_is_large(tmp_path):
    """Many leaves below a branch; the last pages of the file are those of one value."""
    folder = tmp_path / "db"
    with Writer(folder) as writer:
        for index in range(600):
            writer.put(b"%04d" % index, b"%04d" % index * 12)
        writer.put(b"0300 large", b"x" * 9000)
    return folder


def test_l03_cut_inside_the_last_value(last_is_large):
    """Whatever passes can be read to the last byte; lmdb.verify alone lets through what would kill the process."""
    path = last_is_large / "data.mdb"
    size = path.stat().st_size
    slack = 3 * 4096 - 16 - 9000
    for cut in range(0, 14000, 500):
        os.truncate(path, size - cut)
        if cut <= slack:
            with Reader(last_is_large) as reader:
                assert max(map(len, reader.values(0, 601))) == 9000
                assert all(set(value) == set(b"x") for value in reader.values(0, 601) if len(value) == 9000)
        else:
            with pytest.raises(DatabaseError, match="is damaged") as caught:
                Reader(last_is_large)
            assert caught.value.fault == "L03"
            if cut < 8192:
                assert f"first: {cut - slack} bytes are missing at its end" in caught.value.message


def test_a_whole_file_misses_nothing(last_is_large):
    assert missing_at_end(last_is_large / "data.mdb") == 0


def test_an_empty_database(tmp_path):
    with Writer(tmp_path / "db"):
        pass
    assert missing_at_end(tmp_path / "db" / "data.mdb") == 0

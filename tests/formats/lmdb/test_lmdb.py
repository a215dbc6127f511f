from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

import lmdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.errors import DatabaseError, EnvironmentFault
from workflow.formats import datum
from workflow.formats.binaryproto import write_mean
from workflow.formats.lmdb import Reader, Writer, verify

ROOT = Path(__file__).parents[3]


def run(script: str, *arguments: object, **environment: str) -> str:
    """A process of its own: for forks, users and environment variables."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@given(st.dictionaries(st.binary(min_size=1, max_size=511), st.binary(max_size=9000), max_size=30))
def test_records_come_back_in_bytewise_order(records):
    with tempfile.TemporaryDirectory() as folder:
        with Writer(Path(folder) / "db") as writer:
            for key, value in records.items():
                writer.put(key, value)
        with Reader(Path(folder) / "db") as reader:
            assert len(reader) == len(records)
            assert [reader.read(index) for index in range(len(reader))] == sorted(records.items())


def test_keys_are_ordered_as_caffe_orders_them(tmp_path):
    with Writer(tmp_path / "db") as writer:
        for key in (b"10", b"9", b"2", b"a", b"B"):
            writer.put(key, key)
    assert Reader(tmp_path / "db").keys == [b"10", b"2", b"9", b"B", b"a"]


def test_the_format_is_0_9(database):
    assert (database / "data.mdb").read_bytes()[16:24].hex() == "dec0efbe01000000"


def test_reading_by_position(database):
    reader = Reader(database)
    assert reader.read(39) == (b"0039", bytes([39]) * 50)
    assert reader.read(0) == (b"0000", bytes(9000))
    with pytest.raises(IndexError, match="record 40 of 40"):
        reader.read(40)


def test_records_go_round_without_end(database):
    reader = Reader(database)
    keys = [key for key, _ in islice(reader.records(38), 44)]
    assert keys == [b"%04d" % (index % 40) for index in range(38, 82)]
    assert next(reader.records(83))[0] == b"0003"


def test_values_of_a_batch_wrap_in_the_middle(database):
    values = Reader(database).values(38, 5)
    assert [value[:1] for value in values] == [bytes([index]) for index in (38, 39, 0, 1, 2)]


def test_more_records_than_one_mapping_reads(tmp_path, monkeypatch):
    monkeypatch.setattr("workflow.formats.lmdb.reader.MAPPED", 7)
    with Writer(tmp_path / "db") as writer:
        for index in range(40):
            writer.put(b"%04d" % index, b"%d" % index)
    reader = Reader(tmp_path / "db")
    assert reader.keys == [b"%04d" % index for index in range(40)]
    assert [int(value) for value in reader.values(35, 90)] == [index % 40 for index in range(35, 125)]
    assert [int(value) for _, value in islice(reader.records(), 100)] == [index % 40 for index in range(100)]


def test_an_empty_database_has_no_batch(tmp_path):
    with Writer(tmp_path / "db"):
        pass
    reader = Reader(tmp_path / "db")
    assert (len(reader), reader.keys) == (0, [])
    with pytest.raises(DatabaseError, match="holds no record"):
        reader.values(0, 1)
    with pytest.raises(DatabaseError, match="holds no record"):
        next(reader.records())


def test_two_readers_of_one_folder_and_a_third_later(database):
    first, second = Reader(database), Reader(database)
    assert first.read(1) == second.read(1)
    first.close()
    assert second.read(2)[0] == b"0002"
    second.close()
    with Reader(database) as third:
        assert third.read(3)[0] == b"0003"
    assert first.read(4)[0] == b"0004"
    first.close()


def test_a_reader_travels_to_another_process(database):
    reader = Reader(database)
    reader.read(0)
    assert pickle.loads(pickle.dumps(reader)).read(5) == reader.read(5)


def test_writing_refuses_an_existing_database(database):
    with pytest.raises(DatabaseError, match="already contains a database"):
        Writer(database)


@pytest.mark.parametrize("key", [b"", b"x" * 512])
def test_keys_have_1_to_511_bytes(tmp_path, key):
    with Writer(tmp_path / "db") as writer, pytest.raises(DatabaseError, match="1 to 511 bytes"):
        writer.put(key, b"")


def test_a_key_twice(tmp_path):
    writer = Writer(tmp_path / "db")
    writer.put(b"a", b"1")
    writer.put(b"a", b"2")
    with pytest.raises(DatabaseError, match="key a twice"):
        writer.close()


def test_commits_happen_every_thousand_records(tmp_path):
    """What an exception leaves behind is whole."""
    with pytest.raises(KeyboardInterrupt), Writer(tmp_path / "db") as writer:  # noqa: PT012
        for index in range(2500):
            writer.put(b"%05d" % index, b"x")
        raise KeyboardInterrupt
    assert len(Reader(tmp_path / "db")) == writer.count == 2000


def test_l01_missing(tmp_path):
    with pytest.raises(DatabaseError, match="no database in") as caught:
        Reader(tmp_path / "none")
    assert caught.value.fault == "L01"
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DatabaseError, match="no database in"):
        verify(tmp_path / "file")


def test_l02_zero_bytes(tmp_path):
    (tmp_path / "data.mdb").write_bytes(b"")
    with pytest.raises(DatabaseError, match=r"data.mdb is empty \(interrupted copy\?\)") as caught:
        Reader(tmp_path)
    assert (caught.value.fault, caught.value.exit_code) == ("L02", 3)


@pytest.mark.parametrize("pages", [0.001, 0.5, 1, 2, 5, -0.95, -1, -4])
def test_l03_truncated_database(database, pages):
    path = database / "data.mdb"
    os.truncate(path, int(4096 * pages) + (path.stat().st_size if pages < 0 else 0))
    with pytest.raises(DatabaseError, match=r"data.mdb is damaged: \d+ problem") as caught:
        Reader(database)
    assert caught.value.fault == "L03"


def test_l03_zeroed_page(database):
    """Each page in turn: refused, or nothing but pixels were lost and reading is safe."""
    path = database / "data.mdb"
    whole = path.read_bytes()
    refused = 0
    for start in range(0, len(whole), 4096):
        path.write_bytes(whole[:start] + bytes(4096) + whole[start + 4096 :])
        try:
            with Reader(database) as reader:
                assert [len(value) for value in reader.values(0, 40)] == [9000 if k % 7 == 0 else 50 for k in range(40)]
        except DatabaseError as error:
            assert error.fault == "L03"  # noqa: PT017
            refused += 1
    assert refused >= 8


def test_l03_no_database_at_all(tmp_path):
    (tmp_path / "data.mdb").write_bytes(b"GIF89a" * 5000)
    with pytest.raises(DatabaseError, match="is damaged"):
        Reader(tmp_path)


def test_verification_is_repeated_when_the_file_has_changed(database):
    verify(database)
    os.truncate(database / "data.mdb", 8192)
    with pytest.raises(DatabaseError, match="is damaged"):
        verify(database)


def test_what_was_just_written_may_be_trusted(database, monkeypatch):
    def refuse(*_):
        raise AssertionError("verified")

    monkeypatch.setattr("workflow.formats.lmdb.reader.verify", refuse)
    assert len(Reader(database, trusted=True)) == 40


def test_l06_lmdb_1_0(tmp_path):
    with lmdb.open(str(tmp_path), lib_version=1) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"a", b"b")
    with pytest.raises(DatabaseError, match="uses the format of LMDB 1.0") as caught:
        Reader(tmp_path)
    assert caught.value.fault == "L06"


def test_l06_another_version_of_the_old_layout(database):
    with (database / "data.mdb").open("r+b") as file:
        for page in (0, 4096):
            file.seek(page + 20)
            file.write(b"\x02")
    with pytest.raises(DatabaseError, match=r"version 2\)"):
        Reader(database)


def test_l07_the_environment_cannot_ask_for_another_format(tmp_path):
    run(
        """
import sys; from pathlib import Path; from workflow.formats.lmdb import Writer
with Writer(Path(sys.argv[1])) as writer: writer.put(b"a", b"b")
""",
        tmp_path / "db",
        LMDB_DEFAULT_LIB_VERSION="1",
    )
    assert (tmp_path / "db" / "data.mdb").read_bytes()[16:24].hex() == "dec0efbe01000000"
    assert (
        run(
            """
import sys; from pathlib import Path; from workflow.formats.lmdb import Reader
print(Reader(Path(sys.argv[1])).read(0))
""",
            tmp_path / "db",
            LMDB_DEFAULT_LIB_VERSION="1",
        )
        == "(b'a', b'b')"
    )


def test_l08_a_full_map_is_doubled_and_nothing_lost(tmp_path):
    with Writer(tmp_path / "db", map_size=64 * 1024) as writer:
        for index in range(2500):
            writer.put(b"%05d" % index, b"%d" % index * 100)
    reader = Reader(tmp_path / "db")
    assert len(reader) == 2500
    assert reader.read(2499)[1] == b"2499" * 100


def test_l10_a_folder_that_nobody_may_write_to(database):
    """As an ordinary user, without a lock file in the folder."""
    script = """
import os, shutil, sys, tempfile
from pathlib import Path
from workflow.formats.lmdb import Reader
Reader(Path(sys.argv[1]))  # imports everything while that is still allowed
with tempfile.TemporaryDirectory() as parent:
    folder = Path(shutil.copytree(sys.argv[1], Path(parent) / "db"))
    (folder / "lock.mdb").unlink(missing_ok=True)
    for path, mode in ((folder / "data.mdb", 0o444), (folder, 0o555), (Path(parent), 0o755)):
        path.chmod(mode)
    pid = os.fork()
    if pid == 0:
        if os.getuid() == 0:
            os.setuid(65534)
        found = len(Reader(folder)), Reader(folder).read(7)[0], os.access(folder, os.W_OK)
        os._exit(0 if found == (40, b"0007", False) else 1)
    print(os.waitpid(pid, 0)[1], sorted(os.listdir(folder)))
    folder.chmod(0o755)
"""
    assert run(script, database) == "0 ['data.mdb']"


def test_l11_a_fork_opens_for_itself(database):
    """The child reads, closes and ends; the parent goes on with what it had."""
    script = """
import os, sys
from pathlib import Path
from workflow.formats.lmdb import Reader
reader, other = Reader(Path(sys.argv[1])), Reader(Path(sys.argv[1]))
before = reader.read(3), other.read(4)
records = other.records(10)
next(records)
pid = os.fork()
if pid == 0:
    same = (reader.read(3), other.read(4)) == before and next(records)[0] == b"0011"
    reader.close()
    os._exit(0 if same else 1)
print(os.waitpid(pid, 0)[1], (reader.read(3), other.read(4)) == before, next(records)[0])
"""
    assert run(script, database) == "0 True b'0011'"


def test_p33_a_full_disk_says_so(tmp_path, monkeypatch):
    writer = Writer(tmp_path / "db")

    class Full:
        def begin(self, write):
            raise lmdb.DiskError("mdb_txn_commit: No space left on device")

        def close(self):
            writer._environment = None

    monkeypatch.setattr(writer, "_environment", Full())
    writer.put(b"a", b"b")
    with pytest.raises(EnvironmentFault, match="disk full while writing") as caught:
        writer.close()
    assert caught.value.fault == "P33"


def labels_of(path: Path) -> dict[str, int]:
    return {name: int(label) for name, label in (line.rsplit(" ", 1) for line in path.read_text().splitlines())}


@pytest.mark.parametrize(("name", "records"), [("train", 38), ("test", 17)])
def test_databases_that_real_convert_imageset_wrote(shared_data, name, records):
    folder = shared_data / "golden" / "authorship-recognition" / "data"
    expected = labels_of(folder / ("train.txt" if name == "train" else "val.txt"))
    reader = Reader(folder / f"{name}_lmdb")
    assert len(reader) == records == len(expected)
    for position, (key, value) in enumerate(islice(reader.records(), records)):
        number, _, path = key.decode().partition("_")
        pixels, label = datum.decode(value)
        assert (int(number), len(number)) == (position, 8)
        assert (pixels.shape, pixels.dtype) == ((3, 28, 28), np.uint8)
        assert label == expected[path]
        assert datum.encode(pixels, label) == value + b"\x38\x00"  # the tool of 2014 left field 7 out


@pytest.mark.caffe
def test_real_caffe_reads_our_records_and_our_mean(tmp_path, real_caffe):
    random = np.random.default_rng(2)
    pixels = random.integers(0, 256, (5, 3, 7, 5), np.uint8)
    mean = random.random((3, 7, 5)).astype(np.float32) * 255
    write_mean(tmp_path / "mean.binaryproto", mean)
    keys = [b"10", b"9", b"2", b"a", b"B"]
    with Writer(tmp_path / "db") as writer:
        for index, key in enumerate(keys):
            writer.put(key, datum.encode(pixels[index], index * 100))
    (tmp_path / "net.prototxt").write_text(
        """layer { name: "d" type: "Data" top: "data" top: "label" transform_param { mean_file: "mean.binaryproto" }
                   data_param { source: "db" backend: LMDB batch_size: 2 } }"""
    )
    snippet = """
net = caffe.Net('net.prototxt', caffe.TEST)
for k in range(4):
    net.forward()
    result['data%d' % k] = net.blobs['data'].data.copy()
    result['label%d' % k] = net.blobs['label'].data.copy()
"""
    seen = real_caffe(snippet)
    reader = Reader(tmp_path / "db")
    for batch in range(4):
        ours, labels = datum.decode_all(reader.values(2 * batch, 2))
        np.testing.assert_array_equal(seen[f"data{batch}"], ours.astype(np.float32) - mean)
        np.testing.assert_array_equal(seen[f"label{batch}"], labels)


def test_large_records_do_not_pile_up_in_memory(tmp_path: Path) -> None:
    with Writer(tmp_path / "db") as writer:
        for index in range(5):
            writer.put(b"%04d" % index, bytes(20 * 2**20))
        assert writer.count == 4
    with Reader(tmp_path / "db") as reader:
        assert len(reader) == 5

"""Tars of pictures, made by tarfile; hostile and damaged ones."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from packing import entry, pack

from workflow.data.sniff import PictureError
from workflow.data.sources import tars
from workflow.errors import DataError


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    return pack(tmp_path / "shard.tar", {"./cat/1.jpg": b"first", "cat/2.jpg": b"second", "cat/2.cls": b"3"})


def test_members_are_read_where_they_are(shard):
    tar = tars.opened(str(shard))
    assert list(tar.pictures()) == ["cat/1.jpg", "cat/2.jpg"]
    item = tars.item_of(f"{shard}/cat/2.jpg")
    path, _, ticket = item.partition(b"\0")
    status = shard.stat()
    assert path == os.fsencode(shard) + b"/cat/2.jpg"
    assert tars.read_item(item, None) == (b"second", (status.st_size, status.st_mtime_ns))
    assert ticket.decode() == tar.ticket("cat/2.jpg")
    assert tars.size_of(ticket) == 6
    assert list(shard.parent.iterdir()) == [shard]


def test_what_says_more_about_a_picture_is_no_picture(tmp_path):
    names = ["0001.cls", "0001.left.JPG", "0001.right.jpg", "b/0001.txt", "b/other", "c.svg", "c.json", "._0001.jpg"]
    path = pack(tmp_path / "a.tar", dict.fromkeys([*names, "__MACOSX/x.jpg", ".hidden/y.jpg"], b"x"))
    assert list(tars.opened(str(path)).pictures()) == names[1:7]


def test_other_names_are_not_there(shard):
    with pytest.raises(FileNotFoundError, match="no such member"):
        tars.item_of(f"{shard}/cat/3.jpg")
    with pytest.raises(NotADirectoryError):
        tars.item_of(f"{shard}x/cat/1.jpg")
    (shard.parent / "folder.tar").mkdir()  # which is a folder, whatever its name
    shard.rename(shard.parent / "folder.tar" / "b.tar")
    assert tars.item_of(f"{shard.parent}/folder.tar/b.tar/cat/1.jpg")


def test_p31_a_tar_that_changes_is_not_believed(shard):
    item = tars.item_of(f"{shard}/cat/1.jpg")
    os.utime(shard, ns=(0, 5))
    with pytest.raises(OSError, match="changed while it was being read"):
        tars.read_item(item, None)
    item = tars.item_of(f"{shard}/cat/1.jpg")  # looked through again
    assert tars.read_item(item, None)[0] == b"first"
    os.truncate(shard, 514)
    with pytest.raises(OSError, match="changed while it was being read"):
        tars.read_item(item, None)


def test_p12_members_far_too_large_are_not_read(shard):
    item = tars.item_of(f"{shard}/cat/1.jpg")
    with pytest.raises(PictureError, match="more than a picture needs"):
        tars.read_item(item, 4)


def test_hostile_members_are_named_and_never_read(tmp_path):
    holes = entry("holes.jpg", pax_headers={"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "h"})
    holes.size = 512
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(entry("good.jpg", size=1), io.BytesIO(b"x"))
        tar.addfile(entry("/etc/passwd", size=1), io.BytesIO(b"x"))
        tar.addfile(entry("a/../../up.jpg", size=1), io.BytesIO(b"x"))
        tar.addfile(entry("soft.jpg", tarfile.SYMTYPE, linkname="/etc/passwd"))
        tar.addfile(entry("hard.jpg", tarfile.LNKTYPE, linkname="good.jpg"))
        tar.addfile(entry("fifo.jpg", tarfile.FIFOTYPE))
        tar.addfile(entry("device.jpg", tarfile.BLKTYPE))
        tar.addfile(entry("good.jpg", size=1), io.BytesIO(b"y"))
        tar.addfile(entry("folder", tarfile.DIRTYPE))
        tar.addfile(holes, io.BytesIO(b"0\n".ljust(512, b"\0")))
    tar = tars.opened(str(path))
    assert list(tar.members) == ["good.jpg"]
    assert {one.name: one.kind for one in tar.refused} == {
        "etc/passwd": "unsafe name",
        "a/../../up.jpg": "unsafe name",
        "soft.jpg": "link",
        "hard.jpg": "link",
        "fifo.jpg": "not a regular file",
        "device.jpg": "not a regular file",
        "good.jpg": "same name",
        "h": "sparse",
    }


def damaged(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        tars.opened(str(path))
    assert caught.value.fault == "P40"
    assert str(path) in caught.value.message
    return caught.value


def test_p40_a_cut_tar_is_refused_wherever_it_is_cut(shard):
    whole = shard.read_bytes()
    assert whole.index(b"\0" * 1024) < 3 * 1024  # the end mark follows the last member
    for length in (100, 515, 700, 1024, 1300, 1536, 2 * 1024 + 3, 3 * 1024):
        shard.write_bytes(whole[:length])
        assert "is cut" in damaged(shard).message or "damaged" in damaged(shard).message, length
    shard.write_bytes(whole[:515])
    assert damaged(shard).message.endswith("is cut: it ends within ./cat/1.jpg, 2 bytes are missing")
    shard.write_bytes(whole[:1024])
    assert damaged(shard).message.endswith("is cut: it has no end mark")


def test_p40_a_damaged_tar_is_refused(shard):
    whole = bytearray(shard.read_bytes())
    whole[1024 + 3] ^= 1  # in the second header: tarfile takes that for the end
    shard.write_bytes(whole)
    assert damaged(shard).message.endswith("is damaged at byte 1,024")


def test_p40_what_goes_round_for_ever_is_refused(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(entry("a.jpg", pax_headers={"size": "-1024"}))
    damaged(path)


def test_p40_other_files(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w:gz") as tar:
        tar.addfile(entry("a.jpg"))
    assert damaged(path).message.endswith("is compressed; plain tar is read")
    assert damaged(path).hint == "gunzip it first"
    for data in (b"", b"\xff\xd8\xff" * 500, b"no tar"):
        path.write_bytes(data)
        assert "is not a tar" in damaged(path).message


def test_an_empty_tar_holds_nothing(tmp_path):
    assert tars.opened(str(pack(tmp_path / "a.tar", {}))).members == {}

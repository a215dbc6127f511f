"""Labelled pictures in tars: what is scanned, and that a data set of them is that of their folders."""

from __future__ import annotations

import os
import shutil
import tarfile

import pytest
from msgspec import structs
from packing import entry, pack, pack_folder

from workflow.data import manifest
from workflow.data.prepare import prepare
from workflow.data.scan import scan
from workflow.data.shards import named
from workflow.data.sources.tar_labels import BadLabel
from workflow.errors import DataError
from workflow.generations import generation


def listed(found) -> list[tuple[str, str, str, str | None]]:
    return [(f"{one.root.name}/{one.inside}", one.class_name, " ".join(one.names), one.split) for one in found.folders]


def test_folders_in_a_tar_are_classes_as_on_a_disk(tmp_path):
    members = dict.fromkeys(["./dog/2.png", "dog/1.png", "dog/1.txt", "cat/1.png", "cat/in/3.png", "4.png"], b"x")
    link = entry("dog/9.png", tarfile.SYMTYPE, linkname="/etc/passwd")
    found = scan([pack(tmp_path / "a.tar", members, link)])
    assert found.classes == ("cat", "dog")
    assert listed(found) == [
        ("a.tar/cat", "cat", "1.png", None),
        ("a.tar/cat/in", "cat", "3.png", None),
        ("a.tar/dog", "dog", "2.png 1.png", None),
    ]
    assert [(one.path, one.reason) for one in found.skipped] == [
        (f"{tmp_path}/a.tar/dog/9.png", "is a link, not a regular file")
    ]
    assert found.warnings == [f"1 image lies directly in {tmp_path}/a.tar, in no class"]


def test_parts_of_a_set_in_a_tar_and_by_the_names_of_tars(tmp_path):
    inside = pack(tmp_path / "x.tar", dict.fromkeys(["train/cat/1.png", "test/cat/2.png", "val/dog/3.png"], b"x"))
    assert [one.split for one in scan([inside]).folders] == ["train", "validation", "test"]
    inside.unlink()
    for name in ("train-000", "train-001", "train-002", "test-000"):
        pack(tmp_path / f"{name}.tar", dict.fromkeys(["cat/1.png", "dog/1.png"], b"x"))
    found = scan([tmp_path])  # which stands for its tars
    assert {(one.root.name, one.split) for one in found.folders} == {
        ("train-000.tar", "train"), ("train-001.tar", "train"), ("train-002.tar", "train"), ("test-000.tar", "test")
    }  # fmt: skip
    assert found.warnings == [
        f"{tmp_path}/test-000.tar used as test pictures",
        f"{tmp_path}/train-000.tar and 2 more tars used as training pictures",
    ]


def test_tars_beside_folders_are_said_and_not_read(tmp_path, labelled):
    labelled(tmp_path, cat=1, dog=1)
    pack(tmp_path / "a.tar", {"cat/1.png": b"x"})
    found = scan([tmp_path])
    assert found.files == 2
    assert found.warnings == [f"1 tar in {tmp_path} not read, since folders are beside: name them to use them"]


def test_labels_beside_the_pictures(tmp_path):
    members = {
        "0.jpg": b"x",
        "0.cls": b"1",
        "1.cls": b"0",
        "1.jpg": b"x",
        "a/2.json": b'{"label": "dog"}',
        "a/2.jpg": b"x",
    }
    others = {"3.jpg": b"x", "4.jpg": b"x", "4.cls": b"", "5.jpg": b"x", "5.cls": b"7"}
    path = pack(tmp_path / "a.tar", members | others)
    found = scan([path], classes=("cat", "dog"))
    assert listed(found) == [
        ("a.tar/", "dog", "0.jpg", None), ("a.tar/", "cat", "1.jpg", None), ("a.tar/a", "dog", "2.jpg", None)
    ]  # fmt: skip
    assert {one.path[-5:]: one.reason for one in found.skipped} == {
        "3.jpg": "has no label: no .cls or .json beside it",
        "4.jpg": "has no label: 4.cls is empty",
        "5.jpg": "has label 7, but `classes:` in the settings ends with 1",
    }
    assert scan([path]).classes == ("0", "1", "7", "dog")
    with pytest.raises(DataError, match=r"label 'a\\nb' in .*a.tar cannot name a class") as caught:
        scan([pack(path, {"0.jpg": b"x", "0.cls": b"a\nb"})])
    assert caught.value.fault == "P22"


def test_numbers_and_names():
    assert named("1", ()) == "1"
    assert named("1", ("cat", "dog")) == "dog"
    assert named("1", ("1", "0")) == "1"
    assert named("owl", ("cat", "dog")) == "owl"
    assert isinstance(named("2", ("cat", "dog")), BadLabel)


def test_p03_a_tar_without_labels(tmp_path):
    with pytest.raises(DataError, match=r"2 images lie directly in .*a.tar, none in a class folder") as caught:
        scan([pack(tmp_path / "a.tar", {"1.png": b"x", "2.png": b"x"})])
    assert "0001.cls" in caught.value.hint


def records(config, number: int) -> dict[str, bytes]:
    """The files of a data set whose bytes do not depend on the pictures' paths."""
    folder = generation(config, number).dataset
    return {name: (folder / name).read_bytes() for name in ("mean.binaryproto", "labels.txt")}


def test_a_set_in_tars_is_that_of_its_folders(tmp_path, labelled, settings):
    folder = labelled(tmp_path / "images", cat=6, dog=5)
    (folder / "dog" / "9.png").write_bytes(b"\x89PNG\r\n")
    config = settings(max_bad=0.2)
    prepare(config)
    first = pack_folder(tmp_path / "pets.tar", folder)
    members = {}
    for number, name in enumerate(("cat", "dog")):
        for path in sorted((folder / name).iterdir()):
            members |= {f"{name[0]}{path.stem}.png": path.read_bytes(), f"{name[0]}{path.stem}.cls": b"%d" % number}
    numbered = pack(tmp_path / "numbered.tar", members)
    prepare(config, [first], force=True)
    prepare(structs.replace(config, classes=("cat", "dog")), [numbered], force=True)
    shutil.rmtree(folder)
    assert records(config, 1) == records(config, 2) == records(config, 3)
    told = [
        [
            (one.sha256, one.class_name, one.split, one.path.rpartition("/")[2])
            for one in manifest.read(generation(config, n))
        ]
        for n in (1, 2)
    ]
    assert told[0] == told[1]
    paths = {one.path for one in manifest.read(generation(config, 3))}
    assert f"{tmp_path}/numbered.tar/c3.png" in paths
    assert len(paths) == 11


def test_what_is_known_of_a_tar_is_known_by_its_size_and_time(tmp_path, labelled, settings):
    config = settings()
    folder = labelled(tmp_path / "loose", cat=4, dog=4)
    members = {}
    for name in ("cat", "dog"):  # both classes in one folder of the tar
        for path in (folder / name).iterdir():
            members |= {f"{name}{path.stem}.png": path.read_bytes(), f"{name}{path.stem}.cls": name.encode()}
    path = pack(tmp_path / "a.tar", members)
    os.utime(path, (1_600_000_000, 1_600_000_000))
    assert prepare(config, [path]).known == 0
    assert prepare(config, [path], force=True).known == 8
    assert records(config, 1) == records(config, 2)
    os.utime(path, (1_600_000_001, 1_600_000_001))
    assert prepare(config, [path], force=True).known == 0


def test_p40_nothing_is_made_of_a_damaged_tar(tmp_path, labelled, settings):
    path = pack_folder(tmp_path / "a.tar", labelled(tmp_path / "loose", cat=4, dog=4))
    os.truncate(path, path.read_bytes().rindex(b"IEND") + 8)
    with pytest.raises(DataError, match="is cut"):
        prepare(settings(), [path])
    assert not generation(settings(), 1).folder.exists()

"""Labelled folders: what is found, what is passed over, what is refused."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from workflow.data.found import printable
from workflow.data.scan import scan
from workflow.errors import DataError, UsageError


def listed(found) -> dict[str, list[str]]:
    """folder -> names."""
    return {folder.inside: list(folder.names) for folder in found.folders}


def touch(root, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_one_folder_for_each_class(tmp_path):
    touch(tmp_path, "dog/2.png", "dog/1.png", "cat/1.png", "cat/deeper/3.png")
    found = scan([tmp_path])
    assert found.classes == ("cat", "dog")
    assert listed(found) == {"cat": ["1.png"], "cat/deeper": ["3.png"], "dog": ["1.png", "2.png"]}
    assert {folder.split for folder in found.folders} == {None}
    assert found.files == 4


def test_train_and_test_folders_decide_the_split(tmp_path):
    touch(tmp_path, "train/cat/1.png", "test/cat/2.png", "test/dog/3.png", "val/cat/4.png")
    found = scan([tmp_path])
    assert [(one.class_name, one.split, one.inside) for one in found.folders] == [
        ("cat", "train", "train/cat"),
        ("cat", "validation", "val/cat"),
        ("cat", "test", "test/cat"),
        ("dog", "test", "test/dog"),
    ]


def test_train_alone_is_a_class(tmp_path):
    touch(tmp_path, "train/1.png", "plane/1.png", "test/1.png")  # no folders inside
    assert scan([tmp_path]).classes == ("plane", "test", "train")


def test_several_roots_share_their_classes(tmp_path):
    touch(tmp_path, "a/cat/1.png", "a/dog/1.png", "b/cat/2.png")
    found = scan([tmp_path / "a", tmp_path / "b", tmp_path / "a"])
    assert found.classes == ("cat", "dog")
    assert found.files == 3


def test_p01_missing_folder(tmp_path):
    (tmp_path / "dataset").mkdir()
    with pytest.raises(UsageError, match="no such folder") as caught:
        scan([tmp_path / "datset"])
    assert caught.value.hint == "did you mean 'dataset'?"


def test_p02_a_file(tmp_path):
    touch(tmp_path, "cats.zip")
    with pytest.raises(UsageError, match=r"cats\.zip is a file; expected a folder") as caught:
        scan([tmp_path / "cats.zip"])
    assert caught.value.hint == "unzip it first"


def test_p03_images_lie_in_the_root(tmp_path):
    touch(tmp_path, "1.jpg", "2.PNG", "notes.txt")
    with pytest.raises(DataError, match="2 images lie directly in") as caught:
        scan([tmp_path])
    assert "/CLASS/" in caught.value.hint
    (tmp_path / "1.jpg").rename(tmp_path / "cut.txt")
    with pytest.raises(DataError, match="1 image lies directly in"):
        scan([tmp_path])
    (tmp_path / "cut.txt").rename(tmp_path / "1.jpg")
    touch(tmp_path, "cat/1.png", "dog/1.png")
    assert any("2 images lie directly" in warning for warning in scan([tmp_path]).warnings)


def test_p03_nothing_at_all(tmp_path):
    with pytest.raises(DataError, match="no class folders in"):
        scan([tmp_path])


def test_p19_symlink_loops_are_not_followed(tmp_path):
    touch(tmp_path, "cat/1.png", "dog/1.png")
    (tmp_path / "cat" / "loop").symlink_to(tmp_path / "cat", target_is_directory=True)
    (tmp_path / "pets").symlink_to(tmp_path / "dog", target_is_directory=True)
    found = scan([tmp_path])
    assert found.classes == ("cat", "dog")
    assert found.files == 2
    assert sum("not following symlink" in warning for warning in found.warnings) == 2


def test_p19_follow_symlinks_enters_each_folder_once(tmp_path):
    touch(tmp_path, "images/cat/1.png", "images/dog/1.png", "elsewhere/2.png")
    (tmp_path / "images/cat/loop").symlink_to(tmp_path / "images/cat", target_is_directory=True)
    (tmp_path / "images/cat/more").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    found = scan([tmp_path / "images"], follow_symlinks=True)
    assert listed(found) == {"cat": ["1.png"], "cat/more": ["2.png"], "dog": ["1.png"]}
    assert found.warnings == []


def test_p20_only_regular_files_are_opened(tmp_path, monkeypatch):
    touch(tmp_path, "cat/1.png", "elsewhere/real.png")
    os.mkfifo(tmp_path / "cat" / "fifo.png")
    (tmp_path / "cat" / "broken.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "cat" / "link.png").symlink_to(tmp_path / "elsewhere" / "real.png")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(tmp_path / "cat")  # a socket's name may have a hundred bytes
        server.bind("socket.png")
    found = scan([tmp_path])
    assert listed(found)["cat"] == ["1.png", "link.png"]
    assert {Path(one.path).name: one.kind for one in found.skipped} == {
        "broken.png": "broken link",
        "fifo.png": "not a regular file",
        "socket.png": "not a regular file",
    }


def test_p21_folders_that_may_not_be_listed(open_folder, nobody):
    touch(open_folder, "cat/1.png", "dog/1.png")
    (open_folder / "dog").chmod(0)
    with nobody():
        found = scan([open_folder])
    assert found.forbidden == [str(open_folder / "dog")]
    (open_folder / "dog").chmod(0o777)


def test_p22_names_that_are_not_utf8(tmp_path):
    touch(tmp_path, "cat/1.png", "dog/1.png")
    (tmp_path / "cat" / os.fsdecode(b"caf\xe9.png")).write_bytes(b"x")
    assert listed(scan([tmp_path]))["cat"] == ["1.png", "caf\udce9.png"]
    (tmp_path / os.fsdecode(b"fo\xeb")).mkdir()
    with pytest.raises(DataError, match="cannot name a class"):
        scan([tmp_path])


def test_p23_odd_names(tmp_path):
    names = ["-rf.png", "a b.png", 'it\'s "it".png', "new\nline.png", "🐈.png"]
    touch(tmp_path, *(f"big cat's/{name}" for name in names), "-dog/1.png")
    found = scan([tmp_path])
    assert found.classes == ("-dog", "big cat's")
    assert listed(found)["big cat's"] == sorted(names)
    assert printable("new\nline \udce9 🐈") == "new\\nline \\udce9 🐈"


def test_p25_names_that_differ_by_case_or_accent(tmp_path):
    touch(tmp_path, "Cat/1.png", "cat/1.png")
    with pytest.raises(DataError, match="classes 'Cat' and 'cat' differ only by case") as caught:
        scan([tmp_path])
    assert caught.value.hint == "rename one"


def test_p25_two_forms_of_an_accent(tmp_path):
    touch(tmp_path, "caf\u00e9/1.png", "cafe\u0301/1.png")
    with pytest.raises(DataError, match="differ only by the form of an accent"):
        scan([tmp_path])


def test_p25_one_form_is_one_name(tmp_path):
    touch(tmp_path, "cafe\u0301/1.png", "dog/1.png")
    assert scan([tmp_path]).classes == ("caf\u00e9", "dog")


def test_p26_litter_is_ignored_and_counted(tmp_path):
    touch(tmp_path, "cat/1.png", "cat/.DS_Store", "cat/._1.png", "cat/Thumbs.db", "cat/.hidden/2.png",
          "__MACOSX/cat/1.png", ".git/config", "dog/1.png")  # fmt: skip
    found = scan([tmp_path])
    assert found.classes == ("cat", "dog")
    assert found.files == 2
    assert found.ignored == 4
    assert found.skipped == []

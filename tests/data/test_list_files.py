"""Preparing what lists name."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs
from packing import pack_folder

from workflow.data.prepare import prepare
from workflow.data.scan import scan
from workflow.errors import DataError
from workflow.formats.lmdb import Reader
from workflow.generations import generation


def test_a_list_says_folders_classes_and_what_is_not_there(tmp_path, labelled):
    labelled(tmp_path / "pets", cat=2, dog=2)
    tar = pack_folder(tmp_path / "more.tar", tmp_path / "pets")
    source = tmp_path / "train.txt"
    source.write_text(f"pets/cat/0.png 10\npets/dog/0.png 2\npets/cat/1.png 2\ngone.png 2\n{tar}/dog/1.png 2\n")
    found = scan([], lists=[source])
    assert [(one.root, one.inside, one.class_name, list(one.names), one.split) for one in found.folders] == [
        (tmp_path, "pets/cat", "10", ["0.png"], None),
        (tmp_path, "pets/dog", "2", ["0.png"], None),
        (tmp_path, "pets/cat", "2", ["1.png"], None),
        (tmp_path, f"{tar}/dog", "2", ["1.png"], None),
    ]
    assert [one.tickets is None for one in found.folders] == [True, True, True, False]
    assert [(one.path, one.reason) for one in found.skipped] == [
        (f"{tmp_path}/gone.png", f"does not exist ({source}:4)")
    ]
    with pytest.raises(DataError, match=r"train.txt:1: has label 10, but .* ends with 1; wrong, too: line 2, 3, 4, …"):
        scan([], lists=[source], classes=("cat", "dog"))


def test_lists_named_as_parts_of_a_set(tmp_path, labelled):
    labelled(tmp_path, cat=2, dog=2)
    for part, number in (("train", 0), ("val", 1)):
        (tmp_path / f"{part}.txt").write_text(f"cat/{number}.png 0\ndog/{number}.png 1\n")
    found = scan([], lists=[tmp_path / "train.txt", tmp_path / "val.txt"])
    assert [one.split for one in found.folders] == ["train", "train", "test", "test"]


def test_a_set_on_a_list_is_that_of_its_folders(tmp_path, labelled, settings, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = structs.replace(settings(), classes=("cat", "dog"))
    folder = labelled(tmp_path / "images", cat=6, dog=5)
    paths = [path.relative_to(tmp_path) for path in sorted(folder.rglob("*.png"), reverse=True)]
    Path("list.txt").write_text("".join(f"{path} {int(path.parent.name == 'dog')}\n" for path in paths))
    prepare(config)
    prepare(config, lists=[Path("list.txt")], force=True)
    first, second = (generation(config, number) for number in (1, 2))
    assert first.mean.read_bytes() == second.mean.read_bytes()
    with Reader(first.database("train")) as one, Reader(second.database("train")) as other:
        keys = [one.read(place)[0] for place in range(len(one))]
        assert [other.read(place)[0] for place in range(len(other))] == [
            key[:9] + b"images/" + key[9:]
            for key in keys  # convert_imageset's: the path as it is on the list
        ]
        assert one.values(0, len(one)) == other.values(0, len(other))
    assert b'"images/cat/3.png"' in second.manifest.read_bytes()

"""A data set of pictures in an object store."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from workflow.data import manifest
from workflow.data.prepare import prepare
from workflow.data.sources import objects
from workflow.errors import EnvironmentFault, UsageError
from workflow.generations import generation


@pytest.fixture
def bucket(tmp_path, labelled) -> str:
    """An address with the pictures that are in images/, one of them broken."""
    folder = labelled(tmp_path / "images", cat=6, dog=5)
    (folder / "dog" / "9.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return upload(folder, f"memory://{tmp_path.name}/pets")


def upload(folder: Path, address: str) -> str:
    for path in folder.rglob("*.png"):
        objects.write(f"{address}/{path.relative_to(folder)}", path.read_bytes())
    return address


def databases(config, number: int) -> dict[str, bytes]:
    one = generation(config, number)
    return {path.name: path.read_bytes() for path in (one.database("test") / "data.mdb", one.mean)}


def test_a_set_in_a_store_is_that_of_its_folders(tmp_path, bucket, settings):
    config = settings(max_bad=0.2)
    prepare(config)
    shutil.rmtree(tmp_path / "images")
    assert prepare(config, [bucket], force=True).known == 0
    assert databases(config, 1) == databases(config, 2)
    paths = [one.path for one in manifest.read(generation(config, 2))]
    assert f"{bucket}/cat/3.png" in paths
    assert len(paths) == 11
    assert [path for path, _ in prepare(config, [bucket], force=True).skipped] == [f"{bucket}/dog/9.png"]


def test_what_is_known_of_an_object_is_known_by_its_tag(bucket, settings, monkeypatch):
    monkeypatch.setattr(objects, "_MARKS", ("created",))  # as if it were an ETag: a change, however young
    config = settings(max_bad=0.2)
    assert prepare(config, [bucket]).known == 0
    assert prepare(config, [bucket], force=True).known == 11
    objects.write(f"{bucket}/cat/3.png", objects.read(f"{bucket}/cat/4.png"))
    assert prepare(config, [bucket], force=True).known == 10


def test_classes_and_parts_of_a_set_in_a_store(tmp_path, labelled, settings):
    folder = labelled(tmp_path / "set" / "train", cat=3, dog=3).parent
    labelled(folder / "test", first=3, cat=2, dog=2)
    found = prepare(settings(), [upload(folder, f"memory://{tmp_path.name}/set")])
    assert (found.classes, found.train, found.test) == (("cat", "dog"), 6, 4)


def test_p42_nothing_is_made_of_half_a_listing(bucket, settings, monkeypatch):
    monkeypatch.setattr(objects.time, "sleep", lambda _: None)
    store = objects._system("memory")
    real = type(store).ls

    def refusing(self, path, detail=True, **options):
        if path.endswith("dog"):
            raise ConnectionError("reset by peer")
        return real(self, path, detail=detail, **options)

    monkeypatch.setattr(type(store), "ls", refusing)
    with pytest.raises(EnvironmentFault, match="refuses .reset by peer."):
        prepare(settings(), [bucket])
    assert not generation(settings(), 1).folder.exists()


def test_p01_nothing_there(settings):
    with pytest.raises(UsageError, match="there is nothing at memory://nowhere"):
        prepare(settings(), ["memory://nowhere"])

"""A project that is named by its folder: the same bytes as in the project folder, from wherever it is prepared."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from msgspec import structs
from PIL import Image

from workflow.config import Config, Prepare, Preprocessing, rooted, untyped
from workflow.data import corrections, manifest
from workflow.data.corrections import Correction
from workflow.data.prepare import prepare
from workflow.generations import existing, generations

CONFIG = Config(preprocessing=Preprocessing(width=8, height=6), prepare=Prepare(max_bad=0.5, workers=1))
SAME = ("dataset/images.jsonl", "dataset/mean.binaryproto", "dataset/labels.txt", "dataset/pictures.png")
DATABASES = ("dataset/train_lmdb/data.mdb", "dataset/test_lmdb/data.mdb")


def make(folder: Path, labelled) -> Path:
    """Pictures, a file that is none, a copy, and a picture that a patch has removed."""
    labelled(folder / "images", cat=12, dog=10)
    shutil.copy(folder / "images" / "cat" / "1.png", folder / "images" / "cat" / "copy.png")
    (folder / "images" / "dog" / "broken.png").write_bytes(b"no picture")
    removed = Correction(sha256=_sha256(folder / "images" / "dog" / "3.png"), path="", label="dog", remove=True)
    corrections.add(folder / "generations", [removed])
    return folder


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def facts(folder: Path) -> dict[str, object]:
    """generation.json without the time of day."""
    record = json.loads((folder / "generations/gen1/generation.json").read_text())
    return {name: value for name, value in record.items() if name != "created"}


def test_the_same_bytes_as_in_the_project_folder(tmp_path, labelled, monkeypatch):
    here, there = make(tmp_path / "here", labelled), make(tmp_path / "there", labelled)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    elsewhere = prepare(rooted(CONFIG, Path("../there")))
    monkeypatch.chdir(here)
    inside = prepare(CONFIG)
    for name in (*SAME, *DATABASES):
        assert (here / "generations/gen1" / name).read_bytes() == (there / "generations/gen1" / name).read_bytes(), name
    assert facts(here) == facts(there)
    assert b"images/cat/0.png" in (here / "generations/gen1" / SAME[0]).read_bytes()
    assert (elsewhere.train, elsewhere.test) == (inside.train, inside.test)
    assert [reason for _, reason in elsewhere.skipped] == [reason for _, reason in inside.skipped]
    assert all(Path(path).is_absolute() for path, _ in elsewhere.skipped)
    assert not any(Path(path).is_absolute() for path, _ in inside.skipped)


def test_paths_of_the_manifest_open_from_anywhere(tmp_path, labelled, monkeypatch):
    make(tmp_path / "project", labelled)
    monkeypatch.chdir(tmp_path)
    config = rooted(CONFIG, Path("project"))
    prepare(config)
    monkeypatch.chdir("/")
    listed = list(manifest.read(existing(config)))
    assert len(listed) == 21
    for image in listed:
        Image.open(image.path).close()


def test_generations_on_another_disk(tmp_path, labelled, monkeypatch):
    project = tmp_path / "project"
    labelled(project / "images", cat=12, dog=10)
    disk = structs.replace(CONFIG, generations=tmp_path / "disk" / "gens")
    monkeypatch.chdir(tmp_path)
    config = rooted(disk, project)
    prepare(config)
    (one,) = generations(config)
    assert all(Path(image.path).is_file() for image in manifest.read(one))
    assert '"path": "images/' in one.manifest.read_text()
    assert one.read().config.generations == str(tmp_path / "disk" / "gens")
    monkeypatch.chdir(project)
    (again,) = generations(disk)
    assert all(image.path.startswith("images/") for image in manifest.read(again))


def test_the_current_folder_as_root_changes_nothing():
    assert rooted(CONFIG, Path()) is CONFIG
    plain = json.loads(json.dumps(untyped(CONFIG)))
    where = {"project": ".", "cluster": plain["cluster"]}  # which change no result
    assert json.loads(json.dumps(CONFIG.recorded())) | where == plain

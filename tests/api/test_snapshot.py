"""Snapshot: every way to look at one picture, and at the net."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from running import run_wf
from trained_projects import three_generations

from workflow import Project, Snapshot
from workflow.api import Finding, Result
from workflow.errors import DataError, UsageError


@pytest.fixture(scope="session")
def snapshot(project: Project) -> Snapshot:
    return project.snapshot("gen1/best")


@pytest.fixture(scope="session")
def image(project: Project) -> Path:
    return project.root / "images" / "other" / "0001.png"


RESULTS = {
    "inspect": lambda one, image: one.inspect(image),
    "compare": lambda one, image: one.compare([image, image.with_name("0003.png")], blobs=["conv1"]),
    "maps": lambda one, image: one.maps(image, methods=["saliency"]),
    "why": lambda one, image: one.why(image, nearest=2),
    "invert": lambda one, image: one.invert(image, blobs=["conv1"], steps=2),
    "film": lambda one, image: one.film(image),
    "channels": lambda one, _: one.channels("conv1", [0]),
    "dream": lambda one, _: one.dream(unit="conv1:0", steps=2, seeds=1),
    "evaluate": lambda one, _: one.evaluate(),
    "mistakes": lambda one, _: one.mistakes(),
    "suspects": lambda one, _: one.suspects(),
    "predict_all": lambda one, image: one.predict_all([image.parent]),
}


COMMANDS = {
    "inspect": "inspect IMAGE",
    "compare": "inspect IMAGE OTHER --blobs conv1",
    "maps": "maps IMAGE --method saliency",
    "why": "why IMAGE --nearest 2",
    "invert": "invert IMAGE --blob conv1 --steps 2",
    "film": "film IMAGE",
    "channels": "channels conv1 --channel 0",
    "dream": "dream --unit conv1:0 --steps 2 --seeds 1",
    "evaluate": "evaluate",
    "mistakes": "mistakes",
    "suspects": "suspects",
}
"""What the terminal says for the same."""


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_keeps_the_protocol_and_is_drawn_as_by_its_command(
    snapshot: Snapshot, image: Path, name: str, tmp_path: Path, elsewhere: Path
) -> None:
    found = RESULTS[name](snapshot, image)
    assert isinstance(found, Result)
    assert found.home is None or found.home.is_absolute()
    files = found.draw(tmp_path / "drawn")
    assert all(path.is_relative_to(tmp_path / "drawn") and path.exists() for path in files.values())
    document = json.loads(json.dumps(found.json(files), default=os.fspath, allow_nan=False))
    assert document
    for path in files.values():
        assert name == "predict_all" or str(path) in json.dumps(document), path
    assert found.words()
    assert all(str(path) not in found.words() for path in files.values())
    if name in ("inspect", "evaluate"):  # the others are shown in the same way, and drawing takes long
        shown = found._repr_html_()
        assert shown.count("<img ") == len([path for path in files.values() if path.suffix in (".png", ".gif")])
    assert list(elsewhere.iterdir()) == []
    if name in COMMANDS:
        paths = {"IMAGE": str(image), "OTHER": str(image.with_name("0003.png"))}
        words = [paths.get(word, word) for word in COMMANDS[name].split()]
        which = ["--gen", "1"] if name == "film" else ["--snapshot", "gen1/best"]
        run_wf("-C", snapshot.config.project, *words, *which, "--out", tmp_path / "by-command")
        drawn, by_command = pictures_in(tmp_path / "drawn"), pictures_in(tmp_path / "by-command")
        assert drawn
        assert {path: by_command.get(path) for path in drawn} == drawn


def pictures_in(folder: Path) -> dict[Path, bytes]:
    """Relative path -> bytes of every picture; links to pictures are left out."""
    found = (path for path in folder.rglob("*") if path.suffix in (".png", ".gif") and not path.is_symlink())
    return {path.relative_to(folder): path.read_bytes() for path in found}


def test_a_twin(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    shutil.copytree(three_generations(tmp_path_factory), tmp_path / "three")
    project = Project(tmp_path / "three")
    image = project.root / "images" / "test" / "circle" / "2.png"
    found = project.snapshot().twin(image)
    files = found.draw()
    assert isinstance(found, Result)
    assert found.nearest.label == found.target.name
    assert files["twin"].is_relative_to(project.root / "generations" / "gen3" / "inspect")
    assert found._repr_html_().count("<img ") == 1


def test_a_label(snapshot: Snapshot, image: Path) -> None:
    found = snapshot.predict(str(image))
    assert found.label in ("character", "other")
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert found.probability == max(found.probabilities.values())


def test_drawn_where_the_command_draws(snapshot: Snapshot, image: Path, project: Project) -> None:
    files = snapshot.inspect(image, blobs=["conv1"]).draw()
    assert files["conv1"].is_relative_to(project.root / "generations" / "gen1" / "inspect")


def test_a_model_from_elsewhere(snapshot: Snapshot, project: Project, image: Path, tmp_path: Path) -> None:
    weights = tmp_path / "copied.caffemodel"
    weights.write_bytes((project.root / "generations/gen1/snapshots/cifar10_quick_iter_2.caffemodel").read_bytes())
    other = project.snapshot(weights, net=snapshot.source, mean="120,120,120")
    assert other.inspect(image).label in ("0", "1")
    with pytest.raises(UsageError, match="belongs to no generation"):
        other.film(image)
    with pytest.raises(UsageError, match="belongs to no generation"):
        other.check_place(None)
    other.check_place(tmp_path)


def test_a_result_without_a_place_asks_for_a_folder() -> None:
    found = Finding(
        found=None, describe=lambda _, pictures: str(dict(pictures)), drawing=lambda _, folder: {"a": folder}
    )
    with pytest.raises(UsageError, match="no place of its own"):
        found.draw()
    assert found.draw("here") == {"a": Path("here")}


def test_errors_are_those_of_the_tree(snapshot: Snapshot, image: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        snapshot.inspect(tmp_path / "nothing.png")
    with pytest.raises(UsageError, match="no blob 'conv9'"):
        snapshot.inspect(image, blobs=["conv9"])
    with pytest.raises(UsageError, match="one class or one unit"):
        snapshot.dream()
    with pytest.raises(UsageError):
        snapshot.maps(image, class_name="other", unit="conv1:0")

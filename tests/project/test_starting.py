"""The files that a project starts with, and recipes added to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.errors import UsageError
from workflow.formats import yaml
from workflow.project import FOLDERS, shipped
from workflow.project.recipes import RECIPES, default_settings
from workflow.project.settings import load
from workflow.project.starting import start

OTHERS = [recipe.name for recipe in RECIPES[1:]]


def test_everything_shipped_is_copied_byte_for_byte(tmp_path: Path) -> None:
    written = start(tmp_path / "new" / "project")
    for name in FOLDERS:
        for source in (shipped() / name).iterdir():
            assert (tmp_path / "new" / "project" / name / source.name).read_bytes() == source.read_bytes()
    assert (tmp_path / "new" / "project" / ".gitignore").read_text() == "/generations/\n/inbox/\n"
    assert {path.name for path in written} >= {"default.yaml", "cifar10.yaml", ".gitignore"}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    mine = tmp_path / "prototxt" / "lenet_solver.prototxt"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(UsageError, match=r"lenet_solver\.prototxt exists"):
        start(tmp_path)
    assert mine.read_text() == "mine"
    assert not (tmp_path / "configs").exists()


def test_a_gitignore_that_is_there_is_left(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.png\n")
    assert tmp_path / ".gitignore" not in start(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "*.png\n"


@pytest.mark.parametrize("name", OTHERS)
def test_the_default_settings_are_those_of_the_recipe(name: str, tmp_path: Path) -> None:
    start(tmp_path, name)
    recipe = next(one for one in RECIPES if one.name == name)
    assert load(None, {}, {}, root=tmp_path) == load(shipped() / "configs" / recipe.settings, {}, {}, root=tmp_path)
    text, classic = ((tmp_path / "configs/default.yaml").read_text(), default_settings(RECIPES[0]))
    assert f"wf init DIR --recipe {name}" in text.split("\n\n")[0]
    assert not any(line.endswith(" ") for line in text.splitlines())
    assert len(text.split("\n\n")) == len(classic.split("\n\n"))  # every block with its comments is there
    assert yaml.read(tmp_path / "configs/default.yaml").keys() == yaml.read(shipped() / "configs/default.yaml").keys()


@pytest.mark.parametrize("name", OTHERS)
def test_a_recipe_is_added_to_a_project_of_an_older_wf(name: str, tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "default.yaml").write_text("# mine\n")
    written = start(tmp_path, name)
    assert (tmp_path / "configs" / "default.yaml").read_text() == "# mine\n"
    settings = load(tmp_path / "configs" / f"{name}.yaml", {}, {}, root=tmp_path)
    assert settings.train.solver in written
    assert settings.train.solver.is_file()
    assert settings.train.deploy.is_file()
    assert start(tmp_path, name) == []  # it is all there


def test_an_edited_file_of_a_recipe_is_not_overwritten(tmp_path: Path) -> None:
    start(tmp_path)
    edited = tmp_path / "configs" / f"{OTHERS[0]}.yaml"
    edited.write_text("train: {}\n")
    with pytest.raises(UsageError, match=rf"{OTHERS[0]}\.yaml exists and differs"):
        start(tmp_path, OTHERS[0])
    assert edited.read_text() == "train: {}\n"


def test_a_recipe_that_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no recipe 'quick-pluss'; known: classic, ") as raised:
        start(tmp_path, "quick-pluss")
    assert "did you mean 'quick-plus'" in str(raised.value.hint)
    assert list(tmp_path.iterdir()) == []

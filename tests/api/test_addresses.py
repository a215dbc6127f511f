"""Pictures in an object store give what the same pictures in a folder give."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from running import run_wf

from workflow import Project
from workflow.api import Finding

QUESTIONS: dict[str, Callable[[Project, str], Finding]] = {
    "evaluate": lambda project, folder: project.snapshot("gen1/best").evaluate(folder),
    "mistakes": lambda project, folder: project.snapshot("gen1/best").mistakes(folder),
    "junk": lambda project, folder: project.junk(folder),
    "next": lambda project, folder: project.next(folder, count=5),
    "diff": lambda project, folder: project.diff("gen1", "gen2", folder=folder),
}
COMMANDS = {
    "evaluate": "evaluate FOLDER --snapshot gen1/best",
    "mistakes": "mistakes FOLDER --snapshot gen1/best",
    "junk": "junk FOLDER",
    "next": "next FOLDER --count 5",
    "diff": "diff gen1 gen2 --folder FOLDER",
}


@pytest.fixture(scope="module")
def held(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project: these results are written."""
    root = tmp_path_factory.mktemp("held") / "mybot"
    shutil.copytree(project.root, root)
    return Project(root)


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory, project: Project) -> Path:
    """Pictures in class folders that no generation has."""
    from PIL import Image, ImageOps

    folder = tmp_path_factory.mktemp("store") / "pile"
    for path in sorted((project.root / "images").rglob("*.png"))[::4]:
        target = folder / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as picture:
            ImageOps.invert(picture.convert("RGB")).save(target)
    return folder


def facts(found: Finding, place: str) -> object:
    """All that is told, wherever the pictures are."""
    text = json.dumps(found.json()).replace(place, "PLACE")
    return json.loads(text)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_same_answers(held: Project, pile: Path, question: str, tmp_path: Path) -> None:
    ask, address = QUESTIONS[question], f"local://{pile}"
    there, here = ask(held, address), ask(held, str(pile))
    assert facts(there, address) == facts(here, str(pile))
    drawn = there.draw(tmp_path / "there")
    assert drawn.keys() == here.draw(tmp_path / "here").keys()
    assert all(path.stat().st_size for path in drawn.values())


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_take_addresses(held: Project, pile: Path, command: str) -> None:
    words = COMMANDS[command].replace("FOLDER", f"local://{pile}").split()
    done = run_wf("-C", str(held.root), *words)
    assert f"local://{pile}" in done.out


def test_a_command_for_one_picture_says_that_it_reads_files(held: Project, pile: Path) -> None:
    done = run_wf("-C", str(held.root), "inspect", f"local://{pile}/x.png", code=None)
    assert done.code != 0
    assert "this command reads files, not object stores" in done.err

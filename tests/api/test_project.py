"""Project: an explicit root, and results about several generations."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from running import run_wf

from workflow import Project, Snapshot
from workflow.api import Result
from workflow.api.events import Done, Step
from workflow.demo.drawing import draw
from workflow.errors import ConfigError, UsageError, WorkflowError


def test_importing_the_package_loads_nothing() -> None:
    code = "import sys, workflow; assert not {'torch', 'numpy', 'msgspec', 'workflow.api'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys; from workflow import Project; Project; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_there_is(project: Project) -> None:
    assert [one.name for one in project.generations] == ["gen1", "gen2"]
    assert project.snapshots == ["gen1/iter_2", "gen2/iter_2"]
    assert isinstance(project.snapshot(), Snapshot)
    assert project.snapshot("gen1/best").name == "gen1/iter_2"
    assert project.snapshot(gen=1).name == "gen1/iter_2"
    assert repr(project.snapshot("gen1")) == "<Snapshot gen1/iter_2>"


RESULTS = {
    "training": lambda project: project.training(1),
    "diff": lambda project: project.diff("gen1", "gen2"),
    "log": lambda project: project.log(),
    "blame": lambda project: project.blame(picture(project)),
    "junk": lambda project: project.junk(project.root / "images" / "other", class_name="character"),
    "film": lambda project: project.film(picture(project), gen=1),
    "generations film": lambda project: project.generations_film(picture(project), blobs=["conv1", "prob"]),
    "suspects": lambda project: project.suspects(gen=1),
    "live": lambda project: project.live(),
    "verify": lambda project: project.verify(sample=3),
    "evaluate": lambda project: project.evaluate("gen1"),
}


def picture(project: Project) -> Path:
    return project.root / "images" / "character" / "0000.png"


COMMANDS = {
    "diff": "diff gen1 gen2",
    "log": "log",
    "junk": "junk FOLDER --class character",
    "generations film": "film PICTURE --generations all --blob conv1 --blob prob",
}
"""What the terminal says for the same."""


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_keeps_the_protocol_and_is_drawn_as_by_its_command(
    project: Project, name: str, tmp_path: Path, elsewhere: Path
) -> None:
    found = RESULTS[name](project)
    assert isinstance(found, Result)
    files = found.draw(tmp_path / "drawn")
    assert all(path.is_relative_to(tmp_path / "drawn") and path.exists() for path in files.values())
    document = json.loads(json.dumps(found.json(files), default=os.fspath, allow_nan=False))
    assert document
    assert document != {"pictures": {}}
    assert found.words()
    assert all(str(path) not in found.words() for path in files.values())
    pictures = [path for path in files.values() if path.suffix in (".png", ".gif")]
    if name in ("diff", "live"):  # the others are shown in the same way, and drawing takes long
        shown = found._repr_html_()
        assert shown.count("<img ") == len(pictures)
        assert "<pre>" in shown
    assert list(elsewhere.iterdir()) == []  # no chdir, and nothing lands where we are
    if name in COMMANDS:
        paths = {"FOLDER": project.root / "images" / "other", "PICTURE": picture(project)}
        words = [paths.get(word, word) for word in COMMANDS[name].split()]
        told = run_wf("-C", project.root, *words, "--json", "--out", tmp_path / "by-command").json
        assert told.keys() == document.keys()
        for path in pictures:
            by_command = tmp_path / "by-command" / path.relative_to(tmp_path / "drawn")
            assert by_command.read_bytes() == path.read_bytes()


def test_results_are_frozen_and_typed_inside(project: Project) -> None:
    found = project.diff("gen1", "gen2")
    assert found.p_value == found.found.p_value
    with pytest.raises(AttributeError):
        found.found = None  # type: ignore[misc]
    with pytest.raises(AttributeError, match="nonsense"):
        found.nonsense  # noqa: B018


def test_two_projects_in_two_threads(project: Project, tmp_path: Path) -> None:
    other = Project.start(tmp_path / "other")
    draw(other.root / "images", count=40)

    def train(one: Project) -> list[type]:
        one.prepare()
        events: list[type] = []
        one.train(max_iter=1, progress=lambda event: events.append(type(event)))
        return events

    with ThreadPoolExecutor(2) as threads:
        trained = threads.submit(train, other)
        labels = threads.submit(lambda: project.snapshot("gen2").predict(picture(project)).label)
        assert {Step, Done} <= set(trained.result())
        assert labels.result() in ("character", "other")
    assert other.snapshots == ["gen1/iter_1"]


def test_errors_are_those_of_the_tree(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="generation 9"):
        project.snapshot("gen9")
    with pytest.raises(ConfigError):
        Project(project.root, train__threads="many")
    with pytest.raises(UsageError, match="is not a wf project"):
        Project(tmp_path / "empty").prepare()
    with pytest.raises(UsageError):
        project.train(1, seeds=2, resume="latest")
    with pytest.raises(WorkflowError):
        project.junk(tmp_path / "nothing")


def test_pinning(tmp_path: Path, project: Project) -> None:
    try:
        project.pin("gen1/best")
        assert project.snapshot().name == "gen1/iter_2"
        assert project.live().pinned
    finally:
        project.unpin()
    assert project.snapshot().name == "gen2/iter_2"


def test_a_report(project: Project, tmp_path: Path) -> None:
    found = project.report(2, tmp_path / "page.html")
    assert Path(found.words()).read_text(encoding="utf-8").startswith("<!")
    assert (tmp_path / "page.json").is_file()
    assert found.json()["name"] == "gen2"

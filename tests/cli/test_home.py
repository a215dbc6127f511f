"""A command works in the project around the current folder, or in the one that is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import Run, run_wf

from workflow.cli.home import relocated
from workflow.project import find
from workflow.project.starting import start


@pytest.fixture
def inside(trained: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder within a trained project, with a picture in it; it is the current folder."""
    folder = Path.cwd() / "incoming" / "today"
    folder.mkdir(parents=True)
    (folder / "strange.png").write_bytes(next((Path.cwd() / "images").rglob("*.png")).read_bytes())
    monkeypatch.chdir(folder)
    return folder


def test_the_project_is_found_above_the_current_folder(inside: Path) -> None:
    ran = run_wf("predict", "strange.png", "--csv", "labels.csv", "--json")
    assert str(inside.parents[1]) in ran.err
    (one,) = ran.json["predictions"]
    assert (inside.parents[1] / one["path"]).samefile(inside / "strange.png")
    assert (inside / "labels.csv").is_file()
    assert Path.cwd() == inside


def test_snapshots_and_means_that_are_files_are_found_from_where_the_user_is(inside: Path) -> None:
    here = Path("../../generations/gen1/snapshots/cifar10_quick_iter_2.caffemodel")
    assert run_wf("predict", "strange.png", "--snapshot", here, "--json").json["predictions"]


def test_c_acts_as_if_started_there(inside: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (("-C", inside, "predict", "strange.png"), ("predict", "-C", inside, "strange.png")):
        assert run_wf(*arguments, "--json").json["predictions"]
    assert "no such folder" in run_wf("-C", "nowhere", "log", code=2).err


def test_wf_project_names_it_and_paths_stay_relative_to_the_current_folder(
    inside: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "strange.png").write_bytes((inside / "strange.png").read_bytes())
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("WF_PROJECT", str(inside.parents[1]))
    assert run_wf("predict", "strange.png", "--json").json["predictions"]


def test_a_config_of_another_project_means_that_project(
    inside: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    start(elsewhere)
    monkeypatch.chdir(elsewhere)
    assert "gen1" in run_wf("log", "--config", inside.parents[1] / "configs" / "default.yaml").out


@pytest.mark.parametrize(
    "arguments",
    [("train",), ("log",), ("predict", "x.png"), ("evaluate",), ("prepare",), ("blame", "x.png"), ("report",)],
)
def test_an_empty_folder_is_no_project_and_stays_empty(wf: Run, project: Path, arguments: tuple[str, ...]) -> None:
    (project / "x.png").write_bytes(b"")
    ran = wf(*arguments, code=2)
    assert "is not a wf project" in ran.err
    assert "wf init" in ran.err
    assert [path.name for path in project.iterdir()] == ["x.png"]


def test_what_makes_a_project_does_not_look_for_one(inside: Path) -> None:
    run_wf("init", "new")
    assert (inside / "new" / "configs" / "default.yaml").is_file()


def test_a_folder_of_settings_alone_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "deep").mkdir()
    assert find(tmp_path / "deep") is None
    (tmp_path / "generations" / "gen3").mkdir(parents=True)
    assert find(tmp_path / "deep") == tmp_path


def test_only_paths_are_rewritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "mean.npy").touch()
    monkeypatch.chdir(tmp_path)
    given = {"image": [Path("a.png")], "mean": "mean.npy", "snapshot": "best", "top": 3, "csv": None}
    assert relocated(given, tmp_path / "here") == {
        "image": [Path("here/a.png")],
        "mean": "here/mean.npy",
        "snapshot": "best",
        "top": 3,
        "csv": None,
    }

"""A generation's folder comes whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workflow.config import Config
from workflow.data import staging
from workflow.data.staging import staged, sweep
from workflow.generations import Generation, generation
from workflow.machine import machine


def dead() -> str:
    """The end of a temporary name: of a process of this machine that is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return f"{machine()}-{process.pid}"


def of(root: Path, number: int = 1) -> Generation:
    return generation(Config(generations=root), number)


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


def fill(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "file").write_text(text)


def test_it_appears_when_the_block_ends(tmp_path):
    with staged(generation(Config(generations=tmp_path), 5)) as stage:
        assert stage.number == 5
        fill(stage.folder, "new")
        assert names(tmp_path) == [f"gen5.tmp-{machine()}-{os.getpid()}"]
    assert names(tmp_path) == ["gen5"]
    assert (tmp_path / "gen5" / "file").read_text() == "new"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_nothing_is_left_of_a_block_that_fails(tmp_path, error):
    fill(tmp_path / "gen5", "old")

    def fail() -> None:
        with staged(generation(Config(generations=tmp_path), 5)) as stage:
            fill(stage.folder, "new")
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == ["gen5"]
    assert (tmp_path / "gen5" / "file").read_text() == "old"


@pytest.mark.parametrize("exchange", [True, False])
def test_p35_what_was_there_is_replaced_in_one_step(tmp_path, monkeypatch, exchange):
    if not exchange:  # a system that cannot swap two names
        monkeypatch.setattr(staging, "_exchange", lambda one, other: False)
    fill(tmp_path / "gen5", "old")
    with staged(generation(Config(generations=tmp_path), 5)) as stage:
        fill(stage.folder, "new")
    assert names(tmp_path) == ["gen5"]
    assert (tmp_path / "gen5" / "file").read_text() == "new"


def trained(folder: Path, text: str) -> None:
    fill(folder / "snapshots", text)
    (folder / "snapshots" / "net_iter_10.caffemodel").write_text(text)


@pytest.mark.parametrize("exchange", [True, False])
def test_p35_a_training_is_kept_inside_its_successor(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(staging, "_exchange", lambda one, other: False)
    for number in range(3):
        with staged(generation(Config(generations=tmp_path), 5)) as stage:
            trained(stage.folder, f"training {number}")
    assert names(tmp_path) == ["gen5"]
    assert names(tmp_path / "gen5") == ["before-1", "before-2", "snapshots"]
    for folder, text in (("before-1", "training 0"), ("before-2", "training 1"), (".", "training 2")):
        assert (tmp_path / "gen5" / folder / "snapshots" / "net_iter_10.caffemodel").read_text() == text


def test_p35_reruns_are_trainings_too(tmp_path):
    trained(tmp_path / "gen5" / "seeds" / "seed_7", "rerun")
    with staged(generation(Config(generations=tmp_path), 5)) as stage:
        fill(stage.folder, "new")
    assert names(tmp_path / "gen5") == ["before-1", "file"]


def test_p35_what_an_untrained_generation_had_kept_stays(tmp_path):
    trained(tmp_path / "gen5" / "before-1", "first")
    with staged(generation(Config(generations=tmp_path), 5)) as stage:
        fill(stage.folder, "new")
    assert names(tmp_path / "gen5") == ["before-1", "file"]


@pytest.mark.parametrize("name", ["gen5.tmp-", "gen5.replaced.tmp-"])
def test_p34_a_training_whose_keeping_was_interrupted_is_not_swept(tmp_path, name):
    """Killed after the new generation had taken the place of the old one."""
    fill(tmp_path / "gen5", "new")
    trained(tmp_path / f"{name}{dead()}", "old")
    assert sweep(of(tmp_path)) == []
    assert (tmp_path / "gen5" / "before-1" / "snapshots" / "net_iter_10.caffemodel").read_text() == "old"


def test_p35_a_failure_after_the_exchange_loses_no_training(tmp_path, monkeypatch):
    trained(tmp_path / "gen5", "old")

    def fail(*paths: Path) -> None:
        raise OSError("input/output error")

    monkeypatch.setattr(staging, "_replaced", fail)
    with pytest.raises(OSError, match="input/output"), staged(generation(Config(generations=tmp_path), 5)) as stage:
        fill(stage.folder, "new")
    assert len(list(tmp_path.rglob("net_iter_10.caffemodel"))) == 1


def test_p34_leftovers_of_dead_processes_are_swept(tmp_path):
    ended = dead()
    fill(tmp_path / "gen4", "whole")
    fill(tmp_path / f"gen5.tmp-{ended}", "half")
    fill(tmp_path / f"gen6.tmp-{machine()}-{os.getppid()}", "of a living process")
    fill(tmp_path / f"notes.tmp-{ended}", "not ours")
    (tmp_path / f"gen7.tmp-{ended}").write_text("a file, not ours either")
    assert [path.name for path in sweep(of(tmp_path))] == [f"gen5.tmp-{ended}"]
    assert len(list(tmp_path.glob("[!.]*"))) == 4
    assert sweep(of(tmp_path / "missing")) == []


@pytest.mark.parametrize("name", ["gen5.tmp-elsewhere-0123abcd-{pid}", "gen5.tmp-{pid}"])
@pytest.mark.parametrize("pid", [os.getpid(), 999_999_999], ids=["alive", "dead"])
def test_p34_what_another_machine_prepares_stays_while_it_holds_the_generation(tmp_path, name, pid):
    """The number of its process says nothing here, whether a process has it or none; nor does one without a host."""
    path = tmp_path / name.format(pid=pid)
    fill(path, "half")
    with of(tmp_path, 5).held("wf prepare"):
        assert sweep(of(tmp_path)) == []
        assert path.is_dir()
    assert sweep(of(tmp_path)) == [path]


def test_p34_a_generation_that_was_moved_aside_comes_back(tmp_path):
    aside = tmp_path / f"gen5.replaced.tmp-{dead()}"
    fill(aside, "old")
    assert sweep(of(tmp_path)) == []
    assert (tmp_path / "gen5" / "file").read_text() == "old"
    fill(aside, "older")
    assert sweep(of(tmp_path)) == [aside]
    assert (tmp_path / "gen5" / "file").read_text() == "old"

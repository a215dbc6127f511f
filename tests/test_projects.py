"""Several projects in one process, named by their folders, in turn and at once, without changing the current folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from overriding import over
from three_generations import KINDS, draw, settings, write_prototxt

from workflow.config import Config, rooted
from workflow.curation import labelling
from workflow.curation import next as following
from workflow.data.prepare import prepare
from workflow.errors import BusyError, NetError
from workflow.evaluation import evaluate as evaluation
from workflow.exams import cache
from workflow.exams.exam import of_generation, of_labelled
from workflow.exams.predict import predict
from workflow.generations import existing, generation
from workflow.interpretation.activations.inspect import inspect
from workflow.layers.user_module import load_class
from workflow.machine import machine
from workflow.models.loading import load
from workflow.silence import silenced
from workflow.storage import atomic_write, leftovers, temporary_name
from workflow.training import train

SAME = ("prototxt/train_test.prototxt", "prototxt/deploy.prototxt", "prototxt/solver.prototxt",
        "snapshots/small_iter_10.caffemodel", "snapshots/small_iter_20.caffemodel",
        "snapshots/small_iter_20.solverstate", "dataset/images.jsonl", "dataset/train_lmdb/data.mdb")  # fmt: skip


def make(folder: Path, *, first: int = 0) -> Path:
    """A project with pictures and prototxt files, nothing prepared."""
    folder.mkdir(parents=True)
    write_prototxt(folder)
    for name in KINDS:
        draw(folder / "images", "train", name, first, first + 8)
        draw(folder / "images", "test", name, first, first + 4)
    return folder


def run(config: Config, **wishes: object) -> None:
    for _ in train(over(config, train__threads=1), **wishes):  # type: ignore[arg-type]
        pass


def log(folder: Path) -> list[str]:
    """train.log without times, process numbers and speeds."""
    text = (folder / "generations/gen1/logs/train.log").read_text()
    return [re.sub(r"^I.*?\] |\([^)]*iters\)", "", line) for line in text.splitlines()]


def record(folder: Path) -> dict[str, object]:
    """generation.json without what time tells."""
    facts = json.loads((folder / "generations/gen1/generation.json").read_text())
    for name in ("seconds", "seconds_per_iteration"):
        del facts["training"][name]
    del facts["created"]
    return facts


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two projects with other pictures, trained by their folders at once, from a third folder."""
    top = tmp_path_factory.mktemp("projects")
    folders = [make(top / "one"), make(top / "two", first=20)]

    def whole(folder: Path) -> None:
        prepare(rooted(settings(), folder))
        run(rooted(settings(), folder))

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(top)
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(whole, folders))
    assert sorted(path.name for path in top.iterdir()) == ["one", "two"]
    return folders


@pytest.mark.parametrize("which", [0, 1])
def test_the_same_bytes_as_in_the_project_folder_alone(projects, which, tmp_path, monkeypatch):
    theirs = projects[which]
    mine = make(tmp_path / theirs.name, first=20 * which)
    monkeypatch.chdir(mine)
    prepare(settings())
    run(settings())
    for name in SAME:
        assert (mine / "generations/gen1" / name).read_bytes() == (theirs / "generations/gen1" / name).read_bytes(), (
            name
        )
    assert log(mine) == log(theirs)
    assert record(mine) == record(theirs)


def test_prototxt_as_run_is_relative_to_the_project(projects):
    text = (projects[0] / "generations/gen1/prototxt/solver.prototxt").read_text()
    assert 'net: "generations/gen1/prototxt/train_test.prototxt"' in text
    assert 'snapshot_prefix: "generations/gen1/snapshots/small"' in text


def test_training_goes_on_from_another_folder(tmp_path, monkeypatch):
    whole, parts = make(tmp_path / "whole"), make(tmp_path / "parts")
    monkeypatch.chdir(tmp_path)
    for folder in (whole, parts):
        prepare(rooted(settings(), folder))
    run(rooted(settings(), whole))
    monkeypatch.chdir(parts)
    run(settings(), max_iter=10)
    monkeypatch.chdir("/")
    run(rooted(settings(), parts))
    state = "generations/gen1/snapshots/small_iter_20.solverstate"
    assert (whole / state).read_bytes() == (parts / state).read_bytes()
    assert "Resuming from generations/gen1/snapshots/small_iter_10.solverstate" in log(parts)


def test_weights_of_a_rooted_run_are_recorded_relative_to_the_project(projects, tmp_path, monkeypatch):
    folder = make(tmp_path / "bot")
    config = rooted(settings(), folder)
    prepare(config)
    run(config, max_iter=10)
    run(config, max_iter=10, weights=["iter_10"])
    training = existing(config).read().training
    assert training.weights == ("generations/gen1/before-1/snapshots/small_iter_10.caffemodel",)


# ---- tables, which people and other programs read ----------------------------------------------------------------


def test_tables_name_pictures_relative_to_the_project(projects):
    config = rooted(settings(), projects[0])
    model = load(config, snapshot="iter_20")
    evaluation.write(projects[0] / "out", evaluation.evaluate(model, of_generation(existing(config), model)))
    text = (projects[0] / "out" / "predictions.csv").read_text()
    assert text.splitlines()[1].startswith("images/test/circle/0.png,")
    assert str(projects[0]) not in text + (projects[0] / "out" / "evaluation.json").read_text()


def test_a_table_that_was_filled_in_is_applied_from_another_folder(tmp_path, projects, monkeypatch):
    folder = tmp_path / "bot"
    shutil.copytree(projects[0], folder)
    draw(folder / "pile", "train", "cross", 30, 40)
    monkeypatch.chdir(folder)
    following.write_csv(Path("next.csv"), inside := following.choose(settings(), Path("pile"), count=3))
    monkeypatch.chdir("/")
    config = rooted(settings(), folder)
    following.write_csv(folder / "rooted.csv", following.choose(config, folder / "pile", count=3))
    assert (folder / "rooted.csv").read_bytes() == (folder / "next.csv").read_bytes()
    lines = (folder / "next.csv").read_text().splitlines()
    (folder / "next.csv").write_text("\n".join([lines[0], *(f"{line}cross" for line in lines[1:])]))
    done = labelling.apply(config, folder / "next.csv")
    assert set(done.copied) == {one.path for one in inside.candidates}
    assert done.skipped == ()
    assert all(copy.is_relative_to(folder / "images") for copy in done.copied.values())


# ---- looking, from several threads ------------------------------------------------------------------------------


def looked(folder: Path, engine: str) -> tuple[object, object, object]:
    """What a snapshot, opened here, says of the project's test pictures."""
    model = load(rooted(settings(), folder), snapshot="iter_20")
    pictures = sorted((folder / "images" / "test").rglob("*.png"))
    with model.open(engine) as session:
        told = predict(model, pictures, engine=engine).predictions
        said = [(one.path, one.label, one.probabilities) for one in told]
        out = folder / "out" / f"{threading.get_ident()}-{engine}"
        (seen,) = inspect(model, session, pictures[:1], out=out)
    drawings = [Path(path).read_bytes() for path in seen.pictures.values()]
    return said, seen.probabilities, drawings


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_predict_and_inspect_from_four_threads(projects, engine):
    alone = [looked(folder, engine) for folder in projects]
    assert alone[0] != alone[1]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda place: looked(projects[place % 2], engine), range(8)))
    assert together == [alone[place % 2] for place in range(8)]


def test_saved_answers_are_written_by_several_threads_and_read_in_the_project_folder(projects, monkeypatch):
    config = rooted(settings(), projects[0])

    def answers(config: Config, *, fresh: bool = False) -> cache.Answers:
        model = load(config, snapshot="iter_10")
        return cache.answers(model, of_generation(existing(config), model), fresh=fresh)

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: answers(config, fresh=True), range(4)))
    paths = [one.path for one in found[0].pictures]
    assert all(Path(path).is_file() and Path(path).is_absolute() for path in paths)
    monkeypatch.setattr(cache, "observe", None)  # from disk alone
    assert [one.path for one in answers(config).pictures] == paths
    monkeypatch.chdir(projects[0])
    assert [str(projects[0] / one.path) for one in answers(settings()).pictures] == paths
    assert not list((projects[0] / "generations").rglob("*.tmp-*"))


def test_answers_for_a_labelled_folder_are_shared_with_the_project_folder(projects, monkeypatch):
    monkeypatch.chdir(projects[1])
    model = load(settings(), snapshot="iter_10")
    inside = cache.answers(model, of_labelled(Path("images/test")))
    monkeypatch.setattr(cache, "observe", None)  # from disk alone
    monkeypatch.chdir("/")
    model = load(rooted(settings(), projects[1]), snapshot="iter_10")
    outside = cache.answers(model, of_labelled(projects[1] / "images" / "test"))
    assert [one.path for one in outside.pictures] == [str(projects[1] / one.path) for one in inside.pictures]


# ---- what belongs to the process --------------------------------------------------------------------------------


def test_a_generation_is_held_by_one_thread_and_may_be_let_go_by_another(tmp_path):
    one = generation(rooted(Config(), tmp_path), 1)
    held = one.held("wf train")
    held.__enter__()
    with ThreadPoolExecutor(1) as thread:
        with pytest.raises(
            BusyError, match=rf"in use by pid {os.getpid()} on {re.escape(socket.gethostname())} \(wf train"
        ):
            thread.submit(_hold, one).result()
        thread.submit(held.__exit__, None, None, None).result()
        thread.submit(_hold, one).result()


def _hold(one) -> None:
    with one.held("wf prepare"):
        pass


def test_threads_write_under_names_of_their_own(tmp_path):
    path = tmp_path / "file"
    barrier = threading.Barrier(4)

    def name(_: int) -> Path:
        barrier.wait()
        return temporary_name(path)

    with ThreadPoolExecutor(4) as threads:
        names = list(threads.map(name, range(4)))
        list(threads.map(lambda index: atomic_write(path, bytes([index]) * 10_000), range(40)))
    assert len({*names, temporary_name(path)}) == 5
    assert len(set(path.read_bytes())) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
    dead = tmp_path / f"file.tmp-{machine()}-999999999-140000000000"
    dead.touch()
    names[0].touch()
    assert leftovers(tmp_path) == [dead]


def test_silence_ends_with_its_last_thread():
    before = list(warnings.filters)
    first, second = silenced(), silenced()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    warnings.warn("not heard", stacklevel=1)  # an error in these tests
    second.__exit__(None, None, None)
    assert warnings.filters == before


def test_modules_of_one_name_from_several_projects_at_once(tmp_path):
    for number in range(8):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "shared_name.py").write_text(f"import time\ntime.sleep(0.01)\nclass Same:\n    number = {number}\n")

    def number(place: int) -> int:
        found: Callable[..., object] = load_class("shared_name", "Same", tmp_path / str(place))
        return found.number  # type: ignore[attr-defined]

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(number, range(8))) == list(range(8))


def test_a_net_that_reads_outside_its_project_is_refused_wherever_the_current_folder_is(
    projects, tmp_path, monkeypatch
):
    folder = make(tmp_path / "bot")
    monkeypatch.chdir(tmp_path)
    config = rooted(settings(), folder)
    prepare(config)
    solver = folder / "prototxt/small_train_test.prototxt"
    spy = (
        'layer { name: "spy" type: "HDF5Output" bottom: "label" bottom: "label" hdf5_output_param { file_name: "%s" } }'
    )
    solver.write_text(solver.read_text() + spy % (tmp_path / "stolen.h5"))
    with pytest.raises(NetError, match="outside the project") as caught:
        run(config)
    assert caught.value.fault == "X09"

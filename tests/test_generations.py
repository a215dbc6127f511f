from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from msgspec import structs
from small_net import make_generation

from workflow.config import Config
from workflow.errors import BusyError, DataError, UsageError
from workflow.generations import SnapshotRecord, existing, generation, generations, resolve

ROOT = Path("generations")


@pytest.fixture
def two(project):
    """Generations 2 and 10; 2 has snapshots at 1000, 2000 and 10000."""
    first = make_generation(project, 2)
    make_generation(project, 10)
    snapshots = []
    for iteration, accuracy in ((1000, 0.6), (2000, 0.8), (10000, 0.8)):
        model, state = (f"snapshots/n_iter_{iteration}.{kind}" for kind in ("caffemodel", "solverstate"))
        (first.folder / "snapshots").mkdir(exist_ok=True)
        (first.folder / model).write_bytes(b"x")
        snapshots.append(
            SnapshotRecord(iteration=iteration, model=model, state=state, sha256={}, test_accuracy=accuracy)
        )
    first.write(structs.replace(first.read(), snapshots=tuple(snapshots)))
    return first


def test_generations_are_ordered_by_number_and_leftovers_are_none(two):
    (ROOT / "gen3.tmp-12").mkdir()
    (ROOT / "genuine").mkdir()
    assert [one.number for one in generations(Config())] == [2, 10]
    assert existing(Config()).number == 10
    assert existing(Config(), 2).folder == ROOT / "gen2"


@pytest.mark.parametrize(
    ("reference", "iteration"),
    [("latest", 10000), ("best", 2000), ("iter_1000", 1000), ("gen2/iter_10000", 10000), ("gen2/best", 2000)],
)
def test_references(two, reference, iteration):
    found = resolve(Config(), reference, 2)
    assert found.iteration == iteration
    assert found.name == f"gen2/iter_{iteration}"
    assert found.weights == two.folder / f"snapshots/n_iter_{iteration}.caffemodel"


@pytest.mark.parametrize(
    ("tests", "best"),
    [
        ([(0.8, 0.3), (0.9, 0.7), (0.9, 0.2), (0.9, 0.2)], 3),
        ([(0.8, None), (0.9, None), (0.9, None), (None, None)], 2),
        ([(None, 0.3), (None, 0.1), (None, None), (None, 0.2)], 2),
        ([(0.0, 9.0), (None, None), (None, None), (None, None)], 1),
        ([(None, None)] * 4, 4),
    ],
)
def test_the_best_is_right_most_often_and_among_equals_has_the_lower_loss(two, tests, best):
    snapshots = [
        SnapshotRecord(iteration=index, model="m", state="s", sha256={}, test_accuracy=accuracy, test_loss=loss)
        for index, (accuracy, loss) in enumerate(tests, start=1)
    ]
    assert structs.replace(two.read(), snapshots=tuple(snapshots)).best.iteration == best


def test_a_path_inside_a_generation_knows_it(two):
    path = two.folder / "snapshots" / "n_iter_2000.caffemodel"
    found = resolve(Config(), str(path))
    assert (found.generation, found.iteration) == (two, 2000)


def test_a_path_from_elsewhere(project):
    Path("other.caffemodel").write_bytes(b"x")
    found = resolve(Config(), "other.caffemodel")
    assert found.generation is None
    assert found.name == "other.caffemodel"


def test_c06_unknown_snapshot_is_answered_with_those_there_are(two):
    with pytest.raises(
        UsageError, match=r"no snapshot iter_100 in generation 2 \(gen2 has iter_1000, iter_2000, iter_10000\)"
    ) as caught:
        resolve(Config(), "iter_100", 2)
    assert caught.value.hint.startswith("did you mean 'iter_1000")
    for reference in ("6x", "gen", "gen2/x", "iter_x", "../x", ""):
        with pytest.raises(UsageError, match="no snapshot"):
            resolve(Config(), reference, 2)
    with pytest.raises(UsageError, match="no model file nowhere.caffemodel"):
        resolve(Config(), "nowhere.caffemodel")


def test_a_snapshot_has_several_spellings(two):
    assert resolve(Config(), "gen2").iteration == resolve(Config(), "best", 2).iteration
    for reference in ("1000", "gen2/1000", "gen2/iter_1000"):
        assert resolve(Config(), reference, 2) == resolve(Config(), "iter_1000", 2)


def test_missing_generations_and_snapshots(two):
    with pytest.raises(UsageError, match="generation 3 not found in generations; there are: 2, 10") as caught:
        existing(Config(), 3)
    assert caught.value.hint == "the newest is generation 10"
    with pytest.raises(UsageError, match="generation 11 not found") as caught:
        existing(Config(), 11)
    assert caught.value.hint == "wf prepare makes generation 11"
    Path("elsewhere").mkdir()
    Path("configs").mkdir()
    with pytest.raises(UsageError, match=r"this project has no generation yet \(elsewhere is empty\)"):
        existing(Config(generations=Path("elsewhere")))
    with pytest.raises(UsageError, match="is not a wf project") as caught:
        existing(Config(generations=Path("nowhere/generations")))
    assert "wf init" in caught.value.hint
    with pytest.raises(UsageError, match="generation 10 has no snapshot yet") as caught:
        resolve(Config(), "latest")
    assert caught.value.hint == "wf train --gen 10"


def test_records_round_trip_and_damage_is_said(two):
    record = two.read()
    two.write(record)
    assert two.read() == record
    two.record_path.write_text("{")
    with pytest.raises(DataError, match="is not a generation's record"):
        two.read()
    two.record_path.write_text('{"number": 1}')
    with pytest.raises(DataError, match="is not a generation's record"):
        two.read()
    two.record_path.unlink()
    with pytest.raises(DataError, match="has no generations/gen2/generation.json"):
        two.read()


def test_t10_one_process_at_a_time(two):
    with two.held("wf train"):
        busy = pytest.raises(BusyError, match=r"generation 2 is in use by pid \d+ on \S+ \(wf train, since")
        with busy as caught, generation(Config(), 2).held("wf prepare"):
            pass
        assert caught.value.exit_code == 5
        with generation(Config(), 10).held("wf train"):
            pass
    with two.held("wf prepare"):
        pass


@pytest.mark.parametrize("left", [False, True])
def test_t10_whoever_looks_at_a_lock_does_not_hold_it(two, left):
    """Though the look takes long; also where a process that was killed has left its name."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with two.held("wf train"):
        name = two.folder.with_name(".gen2.holder.json")
        facts = json.loads(name.read_text()) | {"pid": ended.pid}
    if left:
        name.write_text(json.dumps(facts))
    with two.folder.with_name(".gen2.lock").open() as looked:
        fcntl.flock(looked, fcntl.LOCK_SH)
        over = threading.Timer(0.3, fcntl.flock, [looked, fcntl.LOCK_UN])
        over.start()
        with two.held("wf train"):
            assert two.holder.pid == os.getpid()
        over.join()


def test_a_rerun_has_the_pictures_of_its_generation_and_files_of_its_own(tmp_path: Path) -> None:
    one = generation(Config(generations=tmp_path), 5)
    rerun = one.rerun(7)
    assert rerun.name == "gen5/seed_7"
    assert rerun.original == one
    assert rerun.rerun(8) == one.rerun(8)
    assert rerun.database("test") == one.database("test")
    assert rerun.snapshots == tmp_path / "gen5" / "seeds" / "seed_7" / "snapshots"
    for name in ("seed_10", "seed_7", "seed_x", "seed_9"):
        (tmp_path / "gen5" / "seeds" / name).mkdir(parents=True)
    for seed in (10, 7):
        one.rerun(seed).record_path.write_text("{}")
    assert [found.seed for found in one.reruns] == [7, 10]  # 9 was not begun
    with one.held("wf train"), pytest.raises(BusyError), rerun.held("wf train"):
        pass

"""Training of a generation from end to end, and what happens when something is wrong."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec import structs
from small_net import edit

from workflow.config import Config
from workflow.engines import ready
from workflow.engines.base import Control, Done, Snapshot, Started, Step, Validation
from workflow.engines.bvlc.process import Worker
from workflow.errors import ModelError, WorkflowError
from workflow.formats import prototxt, solverstate
from workflow.machine import machine
from workflow.training import summary, train

ROOT = Path("generations")
SOLVER = Path("prototxt/small_solver.prototxt")
NET = Path("prototxt/small_train_test.prototxt")


def test_a_run_leaves_what_the_design_says(run, generation):
    events = run()
    assert isinstance(events[0], Started)
    assert events[0].images == 8
    assert isinstance(events[-1], Done)
    record = generation.read()
    assert [one.iteration for one in record.snapshots] == [10, 20]
    assert all((generation.folder / path).is_file() for one in record.snapshots for path in (one.model, one.state))
    assert record.snapshots[1].test_accuracy is not None
    assert set(record.snapshots[1].sha256) == {record.snapshots[1].model, record.snapshots[1].state}
    assert (generation.logs / "curves.png").stat().st_size > 1000
    rows = [json.loads(line) for line in (generation.logs / "metrics.jsonl").read_text().splitlines()]
    assert [row["iteration"] for row in rows if row["kind"] == "step"] == list(range(20))
    assert [row["iteration"] for row in rows if row["kind"] == "test"] == [0, 10, 20]
    log = (generation.logs / "train.log").read_text()
    assert re.search(r"^I\d{4} [\d:.]+ +\d+ solver.cpp:\d+\] Iteration 10, Testing net \(#0\)$", log, re.MULTILINE)
    assert re.search(r"\]     Test net output #0: accuracy = [\d.]+$", log, re.MULTILINE)
    told = summary(Config(), None)
    assert told["iterations"] == 20
    assert told["engine"] == "torch"
    assert told["test_accuracy"] == record.snapshots[1].test_accuracy
    assert [one["iteration"] for one in told["snapshots"]] == [10, 20]
    assert told["seconds_per_iteration"] > 0


def test_each_step_is_in_the_file_once_it_is_reported(settings, generation):
    """A curve that is looked at while it grows must not wait until a buffer is full."""
    for event in train(settings):
        if isinstance(event, Step):
            lines = (generation.logs / "metrics.jsonl").read_text().splitlines()
            assert json.loads(lines[-1])["iteration"] == event.iteration


def test_who_trains_a_generation_can_be_seen(settings, generation):
    assert generation.holder is None
    for event in train(settings):
        if isinstance(event, Step):
            assert generation.holder is not None
            assert (generation.holder.command, generation.holder.pid) == ("wf train", os.getpid())
            break
    del event
    stale = {"command": "wf train", "since": "2026-01-01T00:00:00+00:00"}
    for pid, host in ((2**22 + 1, machine()), (os.getpid(), machine()), (os.getpid(), "elsewhere-0123abcd")):
        (ROOT / ".gen1.holder.json").write_text(json.dumps(stale | {"pid": pid, "host": host}))
        assert generation.holder is None  # a process that was killed: nobody has the lock


def test_a_killed_and_resumed_run_gives_the_same_bytes(run, generation, settings):
    run()
    model = generation.folder / generation.read().snapshots[-1].model
    straight = model.read_bytes()
    events = train(settings, fresh=True)
    for event in events:  # as a killed run: the process is gone two iterations after the snapshot at 10
        if isinstance(event, Step) and event.iteration == 12:
            break
    events.close()
    assert [one.iteration for one in generation.read().snapshots] == [10]
    again = run()
    assert again[0].iteration == 10
    assert model.read_bytes() == straight
    rows = [json.loads(line) for line in (generation.logs / "metrics.jsonl").read_text().splitlines()]
    assert [row["iteration"] for row in rows if row["kind"] == "step"] == list(range(20))


def test_fresh_keeps_the_earlier_run_aside(run, generation, caplog):
    run(max_iter=10)
    run(fresh=True, max_iter=10)
    assert (generation.folder / "before-1" / "snapshots" / "small_iter_10.caffemodel").is_file()
    assert (generation.folder / "before-1" / "logs" / "train.log").is_file()
    assert "kept in generations/gen1/before-1" in caplog.text
    assert len(generation.read().snapshots) == 1


@pytest.mark.parametrize("fault", ["typo", "layer", "solver", "mean", "database"])
def test_fresh_that_is_refused_leaves_the_earlier_run_where_it_is(run, generation, settings, fault):
    run(max_iter=10)
    match fault:
        case "typo":
            edit(NET, "kernel_size: 3 pad", "kernal_size: 3 pad")
        case "layer":  # found when the engine builds the net
            edit(NET, 'bottom: "conv"', 'bottom: "conf"')
        case "solver":
            edit(SOLVER, '"multistep"', '"multistepp"')
        case "mean":
            generation.mean.write_bytes(b"")
        case "database":
            (generation.database("train") / "data.mdb").write_bytes(b"")
    before = tree(generation.folder)
    with pytest.raises(WorkflowError):
        list(train(settings, fresh=True))
    assert tree(generation.folder) == before


def test_a_net_that_does_not_fit_the_snapshot_does_not_become_the_generations(run, generation, settings):
    """As when the net was edited and --fresh forgotten: what was trained can still be looked at."""
    run(max_iter=10)
    edit(NET, "num_output: 6", "num_output: 7")
    before = tree(generation.folder)
    with pytest.raises(ModelError):
        list(train(settings, max_iter=20))
    list(train(settings, max_iter=10))  # nothing to do
    assert tree(generation.folder) == before


def tree(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"}


def test_max_iter_and_seed_are_written_where_they_can_be_read(run, generation):
    run(max_iter=3, seed=11)
    text = generation.prototxt("solver").read_text()
    assert "max_iter: 3" in text
    assert "random_seed: 11" in text
    assert "test_iter: 3" in text


def passes(events):
    return [(event.iteration, event.outputs) for event in events if isinstance(event, Validation)]


@pytest.mark.parametrize("engine", ["torch", pytest.param("caffe", marks=pytest.mark.caffe)])
def test_the_last_iteration_is_tested_whatever_test_interval_says(run, generation, engine):
    """What it says is what the engine's own test says, where test_interval divides the last iteration."""
    edit(SOLVER, "test_interval: 10", "test_interval: 7")
    expected = passes(run(engine=engine, max_iter=7))[-1]
    edit(SOLVER, "test_interval: 7", "test_interval: 10")
    iteration, outputs = passes(run(engine=engine, max_iter=7, fresh=True))[-1]
    assert iteration == expected[0] == 7
    assert [one.value for one in outputs] == pytest.approx([one.value for one in expected[1]], rel=1e-5)
    assert [one.name for one in outputs] == ["accuracy", "loss"]
    record = generation.read()
    assert record.training.tested_at == 7
    assert record.snapshots[-1].test_accuracy == record.training.test_accuracy
    assert "Iteration 7, Testing net (#0)" in (generation.logs / "train.log").read_text()
    run(engine=engine, max_iter=10)
    assert [row["iteration"] for row in recorded_tests(generation)] == [0, 7, 10]


def recorded_tests(generation):
    rows = [json.loads(line) for line in (generation.logs / "metrics.jsonl").read_text().splitlines()]
    return [row for row in rows if row["kind"] == "test"]


def test_the_score_of_the_untrained_net_is_no_result_of_a_run(run, generation, settings):
    control = Control()
    for event in train(settings, control=control):
        if isinstance(event, Step):
            control.stop()
    told = summary(Config(), None)
    assert told["iterations"] == 1
    assert (told["test_accuracy"], told["test_loss"], told["tested_at"]) == (None, None, None)
    assert generation.read().snapshots[-1].test_accuracy is None
    assert [row["iteration"] for row in recorded_tests(generation)] == [0]


def test_a_run_that_learns_nothing_says_so_and_how_it_went(run, generation, caplog):
    """From a real run's events and files: 300 steps at a rate that moves nothing."""
    edit(SOLVER, "base_lr: 0.02", "base_lr: 1e-9")
    edit(SOLVER, "test_interval: 10", "test_interval: 100")
    edit(SOLVER, "snapshot: 10", "snapshot: 1000")
    record = generation.read()
    counts = {split: dict.fromkeys(record.classes, 5) for split in ("train", "test")}
    generation.write(structs.replace(record, counts=counts))
    run(max_iter=300)
    assert caplog.text.count("the net has learned nothing (loss 1.") == 1
    assert (
        "Change base_lr (the rate is now 5e-10) in prototxt/small_solver.prototxt, then wf train --fresh" in caplog.text
    )
    told = summary(Config(), None)
    assert told["always"]["accuracy"] == pytest.approx(1 / 3)
    assert told["best"]["iteration"] in (100, 200, 300)
    assert told["best"]["snapshot"] == (told["best"]["iteration"] == 300)
    assert told["best_snapshot"] == "iter_300"


def test_a_solver_and_a_net_edited_between_two_runs(run, generation, caplog):
    run(max_iter=10)
    assert [one["from"] for one in generation.read().training.parts] == [0]
    edit(SOLVER, "base_lr: 0.02", "base_lr: 0.01")
    edit(SOLVER, "display: 5", "display: 7")  # moves no weight
    edit(NET, "dropout_ratio: 0.2", "dropout_ratio: 0.3")
    edit(NET, 'type: "xavier"', 'type: "msra"')  # only a fresh run fills
    run(max_iter=20)
    changed = ["base_lr 0.01 (was 0.02)", "layer 'drop' of the net"]
    assert f"resuming from iteration 10 with different settings: {', '.join(changed)}" in caplog.text
    first, second = generation.read().training.parts
    assert (first["from"], first["solver"]["base_lr"], first["changed"]) == (0, 0.02, [])
    assert (second["from"], second["solver"]["base_lr"], second["changed"]) == (10, 0.01, changed)
    caplog.clear()
    run(max_iter=30)
    assert "different settings" not in caplog.text
    assert len(generation.read().training.parts) == 2
    run(resume="iter_10", max_iter=12)  # the second part is run again
    assert [one["from"] for one in generation.read().training.parts] == [0, 10]
    run(fresh=True, max_iter=2)
    assert [one["from"] for one in generation.read().training.parts] == [0]


def test_weights_start_a_run(run, generation):
    run(max_iter=10)
    events = run(weights=["iter_10"], max_iter=1)
    assert events[0].iteration == 0
    losses = [event.loss for event in events if isinstance(event, Step)]
    fresh = [event.loss for event in run(fresh=True, max_iter=1) if isinstance(event, Step)]
    assert losses[0] < fresh[0]


def test_weights_are_a_list_as_caffes_flag_takes_it(run, generation):
    run(max_iter=20)
    run(weights=["iter_10, iter_20"], max_iter=1)
    taken = generation.read().training.weights
    assert [Path(path).name for path in taken] == ["small_iter_10.caffemodel", "small_iter_20.caffemodel"]


# ---- a process killed at any moment ----

CHILD = """
import sys
from pathlib import Path
from workflow.config import Config, Train
from workflow.training import train
settings = Train(solver=Path('prototxt/small_solver.prototxt'), deploy=Path('prototxt/small_deploy.prototxt'))
print('begin', flush=True)
for event in train(Config(train=settings)):
    pass
"""


def test_t06_sigkill_at_random_moments(run, generation):
    """Each time the record lists only whole pairs, and the last run ends with the bytes of an unbroken one."""
    kills = int(os.environ.get("WF_KILLS", "4"))
    edit(SOLVER, "max_iter: 20 snapshot: 10", "max_iter: 60 snapshot: 1")
    run()
    model = generation.folder / generation.read().snapshots[-1].model
    straight = model.read_bytes()
    moments = random.Random(4)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    shutil.rmtree(generation.snapshots)
    generation.write(structs.replace(generation.read(), snapshots=()))
    for _ in range(kills):
        with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, env=environment) as child:
            assert child.stdout.readline() == b"begin\n"
            time.sleep(moments.uniform(0, 2.0))
            child.send_signal(signal.SIGKILL)
        for one in generation.read().snapshots:
            assert solverstate.read(generation.folder / one.state).iteration == one.iteration
            assert (generation.folder / one.model).is_file()
    run()
    assert model.read_bytes() == straight
    assert [one.iteration for one in generation.read().snapshots][-1] == 60


@pytest.mark.caffe
def test_fresh_with_real_caffe(run, generation, monkeypatch):
    run(max_iter=10)
    version = ready.status("caffe").version
    started = []
    begin = Worker.__init__
    monkeypatch.setattr(Worker, "__init__", lambda *given, **named: started.append(0) or begin(*given, **named))
    run(engine="caffe", fresh=True, max_iter=10)
    assert generation.read().training.engine_version == version != ""
    assert len(started) == 1  # its version is known from before
    assert [(one.iteration, one.engine) for one in generation.read().snapshots] == [(10, "caffe")]
    assert (generation.snapshots / "small_iter_10.caffemodel").is_file()
    aside = generation.folder / "before-1" / "snapshots"
    assert [path.name for path in sorted(aside.iterdir())] == ["small_iter_10.caffemodel", "small_iter_10.solverstate"]


@pytest.mark.caffe
def test_each_engine_goes_on_from_the_others_snapshot(run, generation):
    edit(NET, "crop_size: 7 mirror: true", "")
    edit(NET, "crop_size: 7", "")
    edit(Path("prototxt/small_deploy.prototxt"), "dim: 7 dim: 7", "dim: 9 dim: 8")
    run(engine="caffe", max_iter=10)
    events = run(engine="torch", max_iter=20)
    assert events[0].iteration == 10
    events = run(engine="caffe", max_iter=30)
    assert next(event for event in events if isinstance(event, Started)).iteration == 20
    assert [(one.iteration, one.engine) for one in generation.read().snapshots] == [
        (10, "caffe"), (20, "torch"), (30, "caffe"),
    ]  # fmt: skip
    assert isinstance([event for event in events if isinstance(event, Snapshot)][-1], Snapshot)


TEST_NET = """layers { name: "pictures" type: DATA top: "data" top: "label"
    data_param { source: "?" batch_size: 5 backend: LMDB scale: 0.01 mean_file: "?" crop_size: 7 } }
  layers { name: "conv" type: CONVOLUTION bottom: "data" top: "conv"
    convolution_param { num_output: 6 kernel_size: 3 pad: 1 } }
  layers { name: "pool" type: POOLING bottom: "conv" top: "pool" pooling_param { kernel_size: 3 stride: 2 } }
  layers { name: "relu" type: RELU bottom: "pool" top: "pool" }
  layers { name: "ip" type: INNER_PRODUCT bottom: "pool" top: "ip" inner_product_param { num_output: 3 } }
  layers { name: "prob" type: SOFTMAX bottom: "ip" top: "prob" }
  layers { name: "accuracy" type: ACCURACY bottom: "prob" bottom: "label" top: "accuracy" }
"""


def test_an_old_solver_with_a_train_net_and_a_test_net(run, generation):
    """Two files, the test net in the form of 2014; what was run is one file that real Caffe runs."""
    Path("prototxt/test.prototxt").write_text(TEST_NET)
    edit(SOLVER, 'net: "prototxt/small_train_test.prototxt"', f'train_net: "{NET}" test_net: "test.prototxt"')
    events = run()
    assert isinstance(events[-1], Done)
    assert generation.read().snapshots[-1].test_accuracy is not None
    ran = prototxt.read_net(generation.prototxt("train_test"))
    both = [layer.name for layer in ran.layer if not layer.include]
    assert both == ["conv", "pool", "relu", "ip"]
    assert prototxt.read_solver(generation.prototxt("solver")).net == generation.prototxt("train_test").as_posix()
    assert summary(Config(), None)["test_loss"] is None

from __future__ import annotations

import hashlib
import os
import resource
import signal
from itertools import pairwise
from pathlib import Path

import pytest
from caffe_process import CAFFE_PYTHON, run_caffe
from msgspec import structs

from workflow.engines.base import Control, Line, Snapshot, SnapshotFailed, Started, Step, Validation
from workflow.engines.bvlc.engine import Engine
from workflow.engines.caffe_log import Writer, parse
from workflow.engines.caffe_log.reading import Restarted
from workflow.errors import DivergedError, EnvironmentFault, ModelError, NetError, UsageError
from workflow.formats import caffemodel, solverstate

from .conftest import gone, net, workers

pytestmark = pytest.mark.caffe

CHANCE = {"net_text": net(transform="mirror: true crop_size: 5", test_transform="crop_size: 5", dropout=True)}


def run(job):
    return list(Engine().train(job))


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def schedule(events):
    return [(type(event).__name__, event.iteration) for event in events if not isinstance(event, (Line, Step))]


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((folder / "out").iterdir())}


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """(job, events) of one run with chance in it, from 0 to 24, that several tests look at."""
    folder = tmp_path_factory.mktemp("straight")
    job = make(folder)(**CHANCE, solver="iter_size: 2 max_iter: 24")
    return job, run(job)


def make(folder):
    """The fixture make_job, for any folder."""
    from .conftest import make_job

    return make_job.__wrapped__(folder)


# ---- the reference ----


def test_the_same_files_as_pycaffe(straight, tmp_path):
    job, _ = straight
    reference = make(tmp_path)("theirs", **CHANCE, solver="iter_size: 2 max_iter: 24")
    run_caffe(CAFFE_PYTHON, 'caffe.get_solver("solver.prototxt").solve()', reference.folder)
    assert digests(job.folder) == digests(reference.folder)


# ---- events ----


def test_schedule(straight):
    job, events = straight
    assert schedule(events) == [
        ("Started", 0), ("Validation", 0), ("Validation", 4), ("Snapshot", 5), ("Validation", 8), ("Snapshot", 10),
        ("Validation", 12), ("Snapshot", 15), ("Validation", 16), ("Snapshot", 20), ("Validation", 20),
        ("Snapshot", 24), ("Validation", 24), ("Done", 24),
    ]  # fmt: skip
    assert of(Started, events) == [Started(iteration=0, max_iter=24, images=8)]
    steps = of(Step, events)
    assert [step.iteration for step in steps] == list(range(24))
    assert [step.iteration for step in steps if step.display] == list(range(0, 24, 3))
    assert [bool(step.outputs) for step in steps] == [step.display for step in steps]
    assert of(Snapshot, events)[0].model == job.folder / "out" / "tiny_iter_5.caffemodel"
    assert events[-1].display
    assert not events[-1].stopped


def test_rates_and_losses(straight):
    _, events = straight
    steps = of(Step, events)
    assert [step.rate for step in steps] == pytest.approx([0.05 * (1 + 0.1 * k) ** -0.75 for k in range(24)], rel=1e-6)
    assert all(0 < step.loss < 5 and step.seconds > 0 for step in steps)
    assert steps[0].smoothed_loss == steps[0].loss
    for before, step in pairwise(steps):
        assert step.smoothed_loss == pytest.approx((before.loss + step.loss) / 2)
    assert (steps[3].outputs[0].name, steps[3].outputs[0].loss_weight) == ("loss", 1)


def test_validations(straight):
    _, events = straight
    for one in of(Validation, events):
        assert [output.name for output in one.outputs] == ["accuracy", "loss"]
        assert one.value("accuracy") in (0, 0.166667, 0.333333, 0.5, 0.666667, 0.833333, 1)  # of 2 batches of 3
        assert one.seconds > 0


def test_the_log_says_what_the_events_say(straight):
    job, events = straight
    theirs = [parse(line.text) for line in of(Line, events)]
    writer = Writer(net="tiny", policy="inv", display=3)
    told = [event if not isinstance(event, Snapshot) else relative(event, job.folder) for event in events]
    ours = [parse(line) for event in told for line in writer.lines(event)]
    assert kinds(theirs) == kinds(ours)
    text = "\n".join(line.text for line in of(Line, events))
    assert 'snapshot_prefix: "out/tiny"' in text
    assert "snapshot: 5" in text
    assert ".tmp-" not in text
    assert "\x1e" not in text
    assert text.count("] Solving tiny") == text.count("] Learning Rate Policy: inv") == 1


def relative(event, folder):
    return structs.replace(event, model=event.model.relative_to(folder), state=event.state.relative_to(folder))


def kinds(records):
    """Records with their floats at six digits, those of one iteration in no order (Caffe tells a last loss earlier)."""
    kept = [one for one in records if one is not None and not isinstance(one, Restarted)]
    return sorted({str(one) if not hasattr(one, "loss") else f"{one.iteration}: {one.loss:.4g}" for one in kept} - DONE)


DONE = {"Finished(early=False)"}  # Caffe says it twice, the engine once


def test_hdf5_snapshots_and_multistep(make_job):
    job = make_job(
        solver='snapshot_format: HDF5 lr_policy: "multistep" stepvalue: 1 gamma: 0.5 max_iter: 3 snapshot: -'
    )
    events = run(job)
    assert [step.rate for step in of(Step, events)] == pytest.approx([0.05, 0.025, 0.025])
    (snapshot,) = of(Snapshot, events)
    assert snapshot.state.name == "tiny_iter_3.solverstate.h5"
    assert solverstate.read(snapshot.state).learned_net == "out/tiny_iter_3.caffemodel.h5"
    assert solverstate.read(snapshot.state).current_step == 1
    resumed = run(structs.replace(job, resume=snapshot.state))
    assert schedule(resumed) == [("Started", 3), ("Snapshot", 3), ("Done", 3)]  # nothing to do, but Caffe saves again


# ---- going on ----


def test_resumed_is_as_never_interrupted(straight, tmp_path):
    job, events = straight
    before = digests(job.folder)
    folder = tmp_path / "again"
    other = make(tmp_path)("again", **CHANCE, solver="iter_size: 2 max_iter: 24")
    for kind in ("caffemodel", "solverstate"):
        name = f"out/tiny_iter_5.{kind}"
        (folder / name).write_bytes((job.folder / name).read_bytes())
    state = folder / "out" / "tiny_iter_5.solverstate"
    resumed = run(structs.replace(other, resume=state))
    assert digests(folder) == before
    assert resumed[0].text.startswith("I")
    assert of(Started, resumed) == [Started(iteration=5, max_iter=24, images=8, resumed_from=state)]
    assert [step.loss for step in of(Step, resumed)] == [step.loss for step in of(Step, events)[5:]]
    assert [one.outputs for one in of(Validation, resumed)] == [one.outputs for one in of(Validation, events)[2:]]


def test_starting_from_weights(straight, make_job):
    job, _ = straight
    weights = job.folder / "out" / "tiny_iter_24.caffemodel"
    events = run(make_job(**CHANCE, solver="base_lr: 0 max_iter: 1", weights=(weights,)))
    (line,) = [line for line in of(Line, events) if "Finetuning" in line.text]
    assert line.text.endswith(f"Finetuning from {weights}")
    (snapshot,) = of(Snapshot, events)
    assert (snapshot.iteration, of(Started, events)[0].iteration) == (1, 0)
    learned = [{layer.name: list(layer.blobs) for layer in read(path)} for path in (snapshot.model, weights)]
    assert learned[0] == learned[1]  # the rate is 0


def read(path):
    return [layer for layer in caffemodel.read(path).layer if layer.blobs]


# ---- wishes ----


def test_stop_and_snapshot_wishes(make_job):
    control = Control()
    job = make_job(control=control)
    events = []
    for event in Engine().train(job):
        events.append(event)
        if isinstance(event, Step) and event.iteration == 1:
            control.snapshot()
        if isinstance(event, Step) and event.iteration == 6:
            control.stop()
    assert schedule(events) == [
        ("Started", 0), ("Validation", 0), ("Snapshot", 2), ("Validation", 4), ("Snapshot", 5), ("Snapshot", 7),
        ("Done", 7),
    ]  # fmt: skip
    assert events[-1].stopped
    assert any(line.text.endswith("Optimization stopped early.") for line in of(Line, events))


def test_stopped_before_it_began(make_job):
    control = Control()
    control.stop()
    events = run(make_job(control=control))
    assert schedule(events) == [("Started", 0), ("Done", 0)]
    assert events[-1].stopped


# ---- ends ----


def test_closing_the_iterator_leaves_nothing(make_job):
    job = make_job()
    events = Engine().train(job)
    while not isinstance(next(events), Step):
        pass
    (pid,) = workers()
    events.close()
    assert gone(pid)
    assert list((job.folder / "out").iterdir()) == []


def test_a_killed_worker(make_job):
    job = make_job()
    events = Engine().train(job)
    while not isinstance(next(events), Step):
        pass
    (pid,) = workers()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EnvironmentFault, match="killed by SIGKILL") as caught:
        list(events)
    assert caught.value.fault == "T13"
    assert list((job.folder / "out").iterdir()) == []


def test_a_loss_that_is_no_number(make_job):
    euclid = net().replace('"SoftmaxWithLoss"', '"EuclideanLoss"').replace("num_output: 4", "num_output: 1")
    plain = "\n".join(line for line in euclid.splitlines() if "Accuracy" not in line)
    job = make_job(net_text=plain, solver="base_lr: 1e18 test_iter: - test_interval: - snapshot: 1")
    events = []
    with pytest.raises(DivergedError, match=r"(loss|weights) became (NaN|infinite)") as caught:
        events.extend(Engine().train(job))
    assert caught.value.fault == "T01"
    assert caught.value.exit_code == 4
    out = job.folder / "out"
    assert not any(caffemodel.nonfinite(caffemodel.read(path)) for path in out.glob("*.caffemodel"))
    assert "no snapshot yet" in caught.value.hint or f"iter_{len(list(out.glob('*.caffemodel')))}" in caught.value.hint


def test_a_snapshot_that_cannot_be_written(make_job):
    job = make_job(solver="max_iter: 12 test_iter: - test_interval: -")
    events = []
    for event in Engine().train(job):
        events.append(event)
        if isinstance(event, Step) and event.iteration in (3, 8):
            (pid,) = workers()
            # a limit that the process which writes inherits: as good as a full disk, from iteration 3 to 8
            hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1000 if event.iteration == 3 else hard, hard))
    (failed,) = of(SnapshotFailed, events)
    assert failed.iteration == 5
    assert failed.reason
    assert [one.iteration for one in of(Snapshot, events)] == [10, 12]
    assert sorted(path.name for path in (job.folder / "out").iterdir()) == [
        f"tiny_iter_{k}.{kind}" for k in (10, 12) for kind in ("caffemodel", "solverstate")
    ]


def test_what_caffe_refuses_at_the_first_step(make_job):
    with pytest.raises(NetError, match="real Caffe reports: Unknown learning rate policy: nonsense"):
        run(make_job(solver='lr_policy: "nonsense"'))


def test_what_caffe_refuses_when_it_builds(make_job):
    wrong = net().replace('"InnerProduct"', '"Frobnicate"')
    with pytest.raises(NetError, match="Unknown layer type: Frobnicate"):
        run(make_job(net_text=wrong))


def test_a_state_of_another_net(straight, make_job):
    job, _ = straight
    other = make_job(net_text=net().replace("num_output: 6", "num_output: 5"))
    with pytest.raises(ModelError, match="layer 'conv1'; shape mismatch"):
        run(structs.replace(other, resume=job.folder / "out" / "tiny_iter_5.solverstate"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"precision": "bfloat16"}, "float32, not bfloat16"),
        ({"resume": Path("a.solverstate"), "weights": (Path("a.caffemodel"),)}, "not both"),
    ],
)
def test_jobs_that_are_refused(make_job, changes, words):
    with pytest.raises(UsageError, match=words):
        run(make_job(**changes))


def test_a_build_that_cannot_train_batch_norm_is_refused(make_job):
    """The build of scripts/install_caffe; see docs/layers.md."""
    norm = 'layer { name: "norm" type: "BatchNorm" bottom: "conv1" top: "conv1" }'
    text = net().replace('layer { name: "ip"', norm + ' layer { name: "ip"', 1)
    assert "BatchNorm" in text
    with pytest.raises(EnvironmentFault, match=r"layer 'norm' \(BatchNorm\): this build of Caffe normalises with"):
        run(make_job(net_text=text))

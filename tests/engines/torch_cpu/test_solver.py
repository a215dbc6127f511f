from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from small_net import SOLVER, make_generation, without_chance

from workflow.config import Config, Train
from workflow.engines.base import Control, Done, Step, Validation
from workflow.engines.torch_cpu import Solver
from workflow.errors import DivergedError, ModelError, NetError
from workflow.formats import caffemodel, prototxt, solverstate
from workflow.training import as_run


@pytest.fixture
def small(project):
    """A function that builds a solver on the small data; settings replace those of its prototxt."""
    one = make_generation(project)
    record = one.read()
    train = Train(solver=Path("prototxt/small_solver.prototxt"), deploy=Path("prototxt/small_deploy.prototxt"))
    settings = Config(train=train)

    def make(plain=False, extra="", tests=True, **changes):
        Path("prototxt/small_solver.prototxt").write_text(SOLVER + extra)
        if plain:
            path = Path("prototxt/small_train_test.prototxt")
            path.write_text(without_chance(path.read_text()))
        param = as_run.write(settings, one, record, max_iter=None, seed=None)
        for name, value in changes.items():
            setattr(param, name, value)
        if tests is False:
            param.test_interval = 0
            del param.test_iter[:]
        one.snapshots.mkdir(exist_ok=True)
        return Solver(param)

    return make


def weights(solver):
    return np.concatenate([one.tensor.detach().numpy().ravel() for one in solver.net.learnable])


def kinds(events):
    return [(type(event).__name__, event.iteration) for event in events if not isinstance(event, Step)]


def test_schedule_of_tests_and_snapshots_is_caffes(small):
    events = list(small(max_iter=12, snapshot=5, test_interval=4, display=3).run(Control()))
    assert kinds(events) == [
        ("Validation", 0), ("Validation", 4), ("Snapshot", 5), ("Validation", 8), ("Snapshot", 10), ("Snapshot", 12),
        ("Validation", 12), ("Done", 12),
    ]  # fmt: skip
    steps = [event for event in events if isinstance(event, Step)]
    assert [step.iteration for step in steps] == list(range(12))
    assert [step.iteration for step in steps if step.display] == [0, 3, 6, 9]
    assert [output.name for output in steps[0].outputs] == ["loss"]
    last = events[-1]
    assert isinstance(last, Done)
    assert last.display
    assert math.isfinite(last.loss)


def test_schedule_without_first_test_and_last_snapshot(small):
    solver = small(max_iter=10, test_interval=4, snapshot=0, test_initialization=False, snapshot_after_train=False)
    assert kinds(solver.run(Control())) == [("Validation", 4), ("Validation", 8), ("Done", 10)]


@pytest.mark.parametrize(("reached", "again"), [(20, False), (15, True)])
def test_a_run_that_is_over_snapshots_only_what_was_not_due_before(small, reached, again):
    """Iteration 20 fell due with `snapshot: 10`, so its files are there; 15 did not."""
    solver = small(max_iter=20, snapshot=10, tests=False)
    solver.step(reached)
    _, state = solver.snapshot()
    over = small(max_iter=reached, snapshot=10, tests=False)
    over.restore(state)
    assert kinds(over.run(Control())) == [*([("Snapshot", reached)] if again else []), ("Done", reached)]


OVER = """
import os
folder = 'generations/gen1/snapshots/'
solver = caffe.get_solver('generations/gen1/prototxt/solver.prototxt')
stat = {name: os.stat(folder + name).st_mtime_ns for name in os.listdir(folder)}
solver.solve(str(given['state']))
result['written'] = np.array(sorted(n for n in os.listdir(folder) if stat.get(n) != os.stat(folder + n).st_mtime_ns))
"""


@pytest.mark.caffe
@pytest.mark.parametrize(("reached", "count"), [(20, 0), (15, 2)])
def test_real_caffe_writes_as_much_when_a_run_is_over(small, real_caffe, reached, count):
    solver = small(max_iter=20, snapshot=10, tests=False)
    solver.step(reached)
    _, state = solver.snapshot()
    text = Path("generations/gen1/prototxt/solver.prototxt").read_text()
    Path("generations/gen1/prototxt/solver.prototxt").write_text(
        text.replace("max_iter: 20", f"max_iter: {reached}").replace("test_interval: 10", "test_interval: 100")
    )
    written = real_caffe(OVER, state=np.array(str(state)))["written"]
    assert len(written) == count, written


def test_a_test_pass_scores_every_picture_once(small):
    solver = small(plain=True)
    net = solver.test_nets[0]
    validation = next(event for event in solver.run(Control()) if isinstance(event, Validation))
    right = 0
    solver2 = small(plain=True)
    batches = solver2.test_nets[0].layers[0].batches
    keys = [key for index in range(3) for key in [batches.reader.keys[index * 5 + offset] for offset in range(5)]]
    assert len(set(keys)) == 15 == len(batches.reader)
    for index in range(3):
        solver2.test_nets[0].position = index
        solver2.test_nets[0].run()
        right += round(float(solver2.test_nets[0].blobs["accuracy"]) * 5)
    assert validation.value("accuracy") == pytest.approx(right / 15)
    assert [output.name for output in validation.outputs] == ["accuracy", "loss"]
    assert net.position == 3


def test_it_learns(small):
    solver = small(max_iter=200, snapshot=0, base_lr=0.02)
    tests = [event for event in solver.run(Control()) if isinstance(event, Validation)]
    assert tests[-1].value("accuracy") > 0.85
    assert tests[-1].value("loss") < 0.7 * tests[0].value("loss")


def test_resume_is_exact_to_the_byte_with_crops_mirrors_and_dropout(small):
    straight = small(max_iter=20, snapshot=0)
    straight.solve()
    first = small(max_iter=20, snapshot=0)
    first.step(9)
    _, state = first.snapshot()
    second = small(max_iter=20, snapshot=0, random_seed=5)
    second.restore(state)
    assert second.iter == 9
    second.solve()
    model, _ = second.snapshot()
    resumed = model.read_bytes()
    straight.snapshot()
    assert model.read_bytes() == resumed
    assert straight.rate.current_step == second.rate.current_step == 1


@pytest.mark.parametrize("regularization", ["L1", "L2"])
def test_update_is_the_formula(small, regularization):
    """Clip the sum, divide by iter_size, add decay, momentum with the rate inside: in numpy, step by step."""
    settings = {"iter_size": 3, "clip_gradients": 0.5, "regularization_type": regularization, "base_lr": 0.1}
    solver = small(plain=True, lr_policy="exp", gamma=0.9, snapshot=0, **settings)
    w = [one.tensor.detach().numpy().copy() for one in solver.net.learnable]
    v = [np.zeros_like(one) for one in w]
    for k in range(4):
        solver.net.position = 3 * k
        solver.gradients(solver.net, 3)
        sums = [one.tensor.grad.numpy().copy() for one in solver.net.learnable]
        norm = math.sqrt(sum((g.astype(float) ** 2).sum() for g in sums))
        scale = 0.5 / norm if norm > 0.5 else 1.0
        for index, (one, g) in enumerate(zip(solver.net.learnable, sums, strict=True)):
            penalty = w[index] if regularization == "L2" else np.sign(w[index])
            g = g * scale / 3 + 0.004 * one.decay * penalty
            v[index] = 0.9 * v[index] + 0.1 * 0.9**k * one.rate * g
            w[index] = w[index] - v[index]
        solver.update(solver.rate.at(k))
        for one, expected in zip(solver.net.learnable, w, strict=True):
            np.testing.assert_allclose(one.tensor.detach().numpy(), expected, rtol=2e-5, atol=1e-7)


def test_smoothed_loss_is_the_mean_of_the_last(small):
    steps = [event for event in small(average_loss=3, max_iter=6).run(Control()) if isinstance(event, Step)]
    losses = [step.loss for step in steps]
    assert steps[1].smoothed_loss == pytest.approx(sum(losses[:2]) / 2)
    assert steps[5].smoothed_loss == pytest.approx(sum(losses[3:6]) / 3)


def test_wishes_to_snapshot_and_to_stop(small):
    solver, control = small(max_iter=100, snapshot=0, tests=False), Control()
    seen = []
    for event in solver.run(control):
        seen.append(event)
        if isinstance(event, Step) and event.iteration == 3:
            control.snapshot()
        if isinstance(event, Step) and event.iteration == 6:
            control.stop()
    assert kinds(seen) == [("Snapshot", 4), ("Snapshot", 7), ("Done", 7)]
    assert seen[-1].stopped


def test_t01_a_loss_that_is_no_number_stops_the_run(small):
    solver = small(base_lr=1e30, max_iter=50, snapshot=1, tests=False)
    seen = []
    words = r"loss became (NaN|infinite) at iteration \d+ \(lr 1e\+30\); the output of layer '\w+' grew first, from "
    with pytest.raises(DivergedError, match=words) as caught:
        seen.extend(solver.run(Control()))
    assert caught.value.exit_code == 4


def test_the_layer_whose_output_grew_first(small):
    """Only ip's weights are made large: the layers before it have not grown."""
    solver = small(max_iter=10, snapshot=0, tests=False)
    first = solver.iterate()
    assert first.grown is None
    solver.net.params["ip"][0].data.mul_(1e6)
    step = solver.iterate()
    assert step.grown is not None
    assert step.grown.startswith("the output of layer 'ip' grew first, from ")
    assert solver.iterate().grown is None  # said once


def test_hdf5_snapshots_go_round(small):
    solver = small(snapshot_format=0)
    solver.step(3)
    model, state = solver.snapshot()
    assert model.name == "small_iter_3.caffemodel.h5"
    assert state.name == "small_iter_3.solverstate.h5"
    other = small(random_seed=99)
    other.restore(state)
    np.testing.assert_array_equal(weights(other), weights(solver))
    for mine, theirs in zip(other.rule.history, solver.rule.history, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_c07_a_state_of_another_net(small):
    solver = small()
    solver.step(1)
    model, state = solver.snapshot()
    content = solverstate.read(state)
    short = solverstate.State(
        iteration=1, learned_net=content.learned_net, history=content.history[:-1], current_step=0
    )
    solverstate.write(state, short)
    with pytest.raises(ModelError, match="holds 3 history blobs, this net and solver type need 4"):
        small().restore(state)
    model.unlink()
    solverstate.write(state, content)
    with pytest.raises(ModelError, match="needs its weights .* not found there or beside it"):
        small().restore(state)


def test_weights_lie_beside_the_state_when_the_project_moved(small):
    solver = small()
    solver.step(2)
    _, state = solver.snapshot()
    content = solverstate.read(state)
    moved = solverstate.State(
        iteration=2, learned_net=f"/elsewhere/{Path(content.learned_net).name}", history=content.history, current_step=0
    )
    solverstate.write(state, moved)
    other = small(random_seed=8)
    other.restore(state)
    np.testing.assert_array_equal(weights(other), weights(solver))


def test_c05_training_refuses_weights_that_are_no_numbers(small):
    solver = small()
    model, state = solver.snapshot()
    message = caffemodel.read(model)
    next(layer for layer in message.layer if layer.blobs).blobs[0].data[0] = math.nan
    caffemodel.write(model, message)
    with pytest.raises(ModelError, match="1 NaN or infinite weights") as caught:
        small().restore(state)
    assert caught.value.fault == "C05"


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"regularization_type": "L3"}, "'L3', expected L1 or L2"), ({"type": "Adom"}, "solver type 'Adom' is not known"),
     ({"iter_size": 0}, "iter_size=0"), ({"test_interval": 0}, "test_iter without test_interval")],
)  # fmt: skip
def test_settings_that_cannot_be(small, changes, words):
    with pytest.raises(NetError, match=words):
        small(**changes)


def test_bfloat16_keeps_float32_weights_and_learns_the_same(small):
    solver = small(plain=True, snapshot=0)
    param = solver.param
    low = Solver(param, bfloat16=True)
    solver.step(5)
    low.step(5)
    assert all(one.tensor.dtype.itemsize == 4 for one in low.net.learnable)
    np.testing.assert_allclose(weights(low), weights(solver), atol=0.01)
    assert (weights(low) != weights(solver)).any()


SNIPPET = """
solver = caffe.get_solver('generations/gen1/prototxt/solver.prototxt')
solver.restore(str(given['state']))
solver.step(int(given['steps']))
for name, blobs in solver.net.params.items():
    for index, blob in enumerate(blobs):
        result['%s.%d' % (name, index)] = blob.data.copy()
result['loss'] = solver.net.blobs['loss'].data.copy()
solver.snapshot()
"""


@pytest.mark.caffe
@pytest.mark.parametrize("settings", ["", "iter_size: 2 clip_gradients: 0.3", 'regularization_type: "L1"'])
def test_one_step_from_the_same_state_is_real_caffes(small, real_caffe, settings):
    """And the other way round: real Caffe's snapshot is gone on with by us.

    After a restart real Caffe reads from the first record on; iteration 25 of batch 8 (50 records) does so as well.
    """
    solver = small(plain=True, extra=settings, snapshot=0)
    solver.iter = 25
    solver.step(0)
    _, state = solver.snapshot()
    theirs = real_caffe(SNIPPET, state=np.array(str(state)), steps=np.array(1))
    step = solver.iterate()
    assert step.loss == pytest.approx(float(theirs["loss"]), abs=1e-5) or "iter_size" in settings
    for name, blobs in solver.net.params.items():
        for index, blob in enumerate(blobs):
            want = theirs[f"{name}.{index}"]
            assert np.linalg.norm(blob.detach().numpy() - want) <= 1e-5 * np.linalg.norm(want)
    ours = small(plain=True, extra=settings, snapshot=0, random_seed=77)
    ours.restore(Path("generations/gen1/snapshots/small_iter_26.solverstate"))
    assert ours.iter == 26
    np.testing.assert_allclose(weights(ours), weights(solver), rtol=1e-4, atol=1e-6)
    for mine, want in zip(ours.rule.history, solver.rule.history, strict=True):
        np.testing.assert_allclose(mine, want, rtol=1e-3, atol=1e-6)


def test_what_we_write_is_what_we_ran(small):
    small()
    filled = prototxt.read_net(Path("generations/gen1/prototxt/train_test.prototxt"))
    assert filled.layer[1].data_param.source == "generations/gen1/dataset/test_lmdb"
    assert Config().train.engine == "torch"

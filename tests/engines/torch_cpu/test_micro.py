"""Loss, gradients and outputs of micro-batches, beside those of the whole batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workflow.engines.base import Ranks
from workflow.engines.torch_cpu import Solver, dealt
from workflow.engines.torch_cpu.dealt import DealtSolver
from workflow.engines.torch_cpu.micro import MicroBatches
from workflow.errors import DatabaseError
from workflow.formats import caffe_pb2, datum
from workflow.formats.lmdb import Writer
from workflow.formats.prototxt import parse

ROWS = 7  # a batch that no number of parts below divides
NET = """
layer { name: "data" type: "Data" top: "data" top: "label"
  transform_param { scale: 0.01 crop_size: 5 mirror: true } data_param { source: "lmdb" batch_size: 7 backend: LMDB } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "drop" type: "Dropout" bottom: "conv" top: "conv" }
layer { name: "frozen" type: "InnerProduct" bottom: "conv" top: "ip" param { lr_mult: 0 }
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
"""
LOSSES = {
    "softmax": 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "l" }',
    "ignored": 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "l" loss_weight: 2 '
    "loss_param { ignore_label: 1 } }",
    "sum": 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "l" '
    "loss_param { normalization: NONE } }",
    "hinge": 'layer { name: "l" type: "HingeLoss" bottom: "ip" bottom: "label" top: "l" }',
    "two": 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "l" '
    'loss_param { ignore_label: 0 } } layer { name: "s" type: "Sigmoid" bottom: "ip" top: "s" loss_weight: 0.1 } '
    'layer { name: "h" type: "TanH" bottom: "ip" top: "h" } '
    'layer { name: "e" type: "EuclideanLoss" bottom: "ip" bottom: "h" top: "e" } '
    'layer { name: "a" type: "Accuracy" bottom: "ip" bottom: "label" top: "a" accuracy_param { ignore_label: 2 } }',
}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    folder = tmp_path_factory.mktemp("micro")
    rng = np.random.default_rng(3)
    with Writer(folder / "lmdb") as writer:
        for index in range(23):
            writer.put(b"%08d" % index, datum.encode(rng.integers(0, 256, (3, 6, 6), dtype=np.uint8), index % 3))
    return folder


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def param(loss: str, *, batch: int = ROWS, iter_size: int = 1) -> caffe_pb2.SolverParameter:
    solver = parse('base_lr: 0.1 lr_policy: "fixed" random_seed: 3 display: 1', caffe_pb2.SolverParameter)
    solver.iter_size = iter_size
    solver.net_param.CopyFrom(parse(NET + LOSSES[loss], caffe_pb2.NetParameter))
    solver.net_param.layer[0].data_param.batch_size = batch
    return solver


def gradients(solver: Solver) -> list[np.ndarray]:
    return [one.tensor.grad.numpy().copy() for one in solver.net.learnable if one.tensor.grad is not None]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("micro", "iter_size"), [(1, 1), (3, 1), (ROWS, 2)])
def test_the_parts_add_up_to_the_whole(database, one_thread, loss, micro, iter_size):
    """Crops, mirrors and dropout included: they are drawn for the whole batch."""
    settings = param(loss, iter_size=iter_size)
    plain, parted = Solver(settings, folder=database), DealtSolver(settings, Ranks(micro=micro), folder=database)
    for solver in (plain, parted):
        solver.net.start_at(4)
    losses = [solver.gradients(solver.net, iter_size) for solver in (plain, parted)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)
    for mine, theirs in zip(gradients(parted), gradients(plain), strict=True):
        assert np.abs(mine - theirs).max() <= 1e-5 * np.abs(theirs).max()
    for name in plain.net.spec.outputs:
        np.testing.assert_allclose(parted.net.blobs[name], plain.net.blobs[name].detach(), rtol=1e-5, atol=1e-6)


def test_a_step_reports_the_outputs_of_the_whole_batch(database, one_thread):
    settings = param("two")
    plain, parted = Solver(settings, folder=database), DealtSolver(settings, Ranks(micro=3), folder=database)
    expected, found = plain.iterate(), parted.iterate()
    assert [one.name for one in found.outputs] == [one.name for one in expected.outputs]
    assert len(found.outputs) == 3 + ROWS * 3
    for mine, theirs in zip(found.outputs, expected.outputs, strict=True):
        assert mine.value == pytest.approx(theirs.value, rel=1e-5, abs=1e-6)


class OneOfTwo:
    """The view of one worker of two, with the other one's vectors added by hand."""

    def __init__(self, rank: int) -> None:
        self.rank, self.size = rank, 2
        self.vectors: list[torch.Tensor] = []

    def add(self, own: torch.Tensor) -> torch.Tensor:
        self.vectors = [one.clone() for one in own]
        return own[0]


@pytest.mark.parametrize("batch", [6, ROWS])
def test_two_workers_with_a_batch_each_are_one_with_twice_the_batch(database, one_thread, batch):
    ranks = Ranks(workers=2, rule="each", micro=2)
    workers = [OneOfTwo(0), OneOfTwo(1)]
    solvers = [DealtSolver(param("softmax", batch=batch), ranks, one, folder=database) for one in workers]
    whole = Solver(param("softmax", batch=2 * batch), folder=database)
    loss = whole.gradients(whole.net, 1)
    for solver in solvers:
        solver.gradients(solver.net, 1)
    total = workers[0].vectors[0] + workers[1].vectors[0]
    expected = np.concatenate([one.tensor.grad.numpy(force=True).ravel() for one in whole.net.learnable if one.rate])
    layouts = [one.tensor for one in whole.net.learnable if one.rate]
    start, found = 0, []
    for tensor in layouts:
        piece = total[start : start + tensor.numel()]
        found.append(
            piece.as_strided(tensor.shape, tensor.stride(), start + total.storage_offset()).reshape(-1).numpy()
        )
        start += tensor.numel()
    assert float(total[-2]) == pytest.approx(loss, rel=1e-6)
    assert np.abs(np.concatenate(found) - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("loss", ["softmax", "two"])
def test_threads_compute_what_micro_batches_do(database, one_thread, monkeypatch, loss):
    """To the byte, with a second update behind: every thread sees the new parameters."""
    monkeypatch.setattr(dealt, "_LEAST", 0)
    settings = param(loss, iter_size=2)
    alone = DealtSolver(settings, Ranks(micro=3), folder=database)
    losses = [alone.iterate().loss for _ in range(2)]
    threaded = DealtSolver(settings, None, threads=3, folder=database)
    try:
        assert isinstance(threaded.gradients, MicroBatches)
        assert [threaded.iterate().loss for _ in range(2)] == losses
        for mine, theirs in zip(threaded.net.learnable, alone.net.learnable, strict=True):
            assert torch.equal(mine.tensor, theirs.tensor)
        assert torch.get_num_threads() == 3
    finally:
        threaded.close()


def test_an_error_of_another_thread_is_raised(tmp_path, one_thread, monkeypatch):
    monkeypatch.setattr(dealt, "_LEAST", 0)
    with Writer(tmp_path / "lmdb") as writer:
        for index in range(ROWS):
            writer.put(b"%08d" % index, datum.encode(np.zeros((3, 6, 6), np.uint8), 3 if index == 1 else 0))
    solver = DealtSolver(param("softmax"), None, threads=2, folder=tmp_path)
    with pytest.raises(DatabaseError, match="record 00000001: label 3, but there are 3 classes"):
        solver.iterate()
    solver.close()

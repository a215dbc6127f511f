"""Which nets are computed in micro-batches, and in how many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workflow.engines.base import Ranks
from workflow.engines.torch_cpu import dealt
from workflow.engines.torch_cpu.dealt import DealtSolver
from workflow.engines.torch_cpu.micro import MicroBatches
from workflow.errors import NetError, UsageError
from workflow.formats import caffe_pb2, datum
from workflow.formats.lmdb import Writer
from workflow.formats.prototxt import parse

NET = """
layer { name: "in" type: "DummyData" top: "x" top: "t" dummy_data_param { shape { dim: 6 dim: 4 } shape { dim: 6 } } }
layer { name: "shape" type: "Reshape" bottom: "x" top: "y" reshape_param { shape { DIMS } } }
layer { name: "ip" type: "InnerProduct" bottom: "y" top: "ip" inner_product_param { num_output: 1 } }
"""


def solver(dims: str, micro: int) -> DealtSolver:
    param = parse('base_lr: 0.1 lr_policy: "fixed"', caffe_pb2.SolverParameter)
    param.net_param.CopyFrom(parse(NET.replace("DIMS", dims), caffe_pb2.NetParameter))
    return DealtSolver(param, Ranks(micro=micro))


def test_a_reshape_that_keeps_rows_apart():
    assert solver("dim: 0 dim: 2 dim: 2", 4).net.shapes["y"] == (6, 2, 2)
    assert solver("dim: -1 dim: 2", 4).net.shapes["y"] == (12, 2)


@pytest.mark.parametrize("dims", ["dim: 6 dim: -1", "dim: 4 dim: 6"])
def test_t20_a_reshape_that_names_the_number_of_rows(dims):
    with pytest.raises(
        NetError, match=r"layer 'shape' \(Reshape\): its batch cannot be split among workers: it "
    ) as found:
        solver(dims, 3)
    assert found.value.fault == "T20"


def test_t21_more_micro_batches_than_rows():
    with pytest.raises(UsageError, match="--micro 7: the net's batch_size is 6, expected at most") as found:
        solver("dim: 0 dim: -1", 7)
    assert found.value.fault == "T21"


QUICK = Path(__file__).parents[3] / "prototxt" / "cifar10_quick_train_test.prototxt"


def quick(folder: Path, *, batch: int = 100, more: str = "") -> caffe_pb2.SolverParameter:
    """cifar10_quick on a database of three pictures."""
    with Writer(folder / "lmdb") as writer:
        for index in range(3):
            writer.put(b"%08d" % index, datum.encode(np.zeros((3, 32, 32), np.uint8), 0))
    net = parse(QUICK.read_text() + more, caffe_pb2.NetParameter)
    for layer in net.layer:
        if layer.type == "Data":
            layer.transform_param.ClearField("mean_file")
            layer.data_param.source, layer.data_param.batch_size = "lmdb", batch
    param = parse('base_lr: 0.1 lr_policy: "fixed"', caffe_pb2.SolverParameter)
    param.train_net_param.CopyFrom(net)
    return param


ONE_NUMBER = 'layer { name: "n" type: "Reduction" bottom: "ip2" top: "n" reduction_param { axis: 0 } }'


@pytest.mark.parametrize(
    ("batch", "threads", "more", "apart"),
    [
        pytest.param(100, 2, "", True, id="enough to do for both"),
        pytest.param(100, 1, "", False, id="one thread"),
        pytest.param(50, 2, "", False, id="few rows each"),
        pytest.param(1000, 5, "", False, id="many threads"),
        pytest.param(100, 2, ONE_NUMBER, False, id="a layer that needs all rows"),
    ],
)
def test_which_threads_have_rows_of_their_own(tmp_path, batch, threads, more, apart):
    solver = DealtSolver(quick(tmp_path, batch=batch, more=more), None, threads=threads, folder=tmp_path)
    assert isinstance(solver.gradients, MicroBatches) is apart
    solver.close()


def test_other_sources_are_read_once_for_all_threads(monkeypatch):
    monkeypatch.setattr(dealt, "_LEAST", 0)
    param = parse('base_lr: 0.1 lr_policy: "fixed"', caffe_pb2.SolverParameter)
    param.net_param.CopyFrom(parse(NET.replace("DIMS", "dim: 0 dim: -1"), caffe_pb2.NetParameter))
    assert not isinstance(DealtSolver(param, None, threads=2).gradients, MicroBatches)

"""Which nets and numbers of micro-batches a solver in micro-batches takes."""

from __future__ import annotations

import pytest

from workflow.engines.base import Ranks
from workflow.engines.torch_cpu.ranked import RankedSolver
from workflow.errors import NetError, UsageError
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import parse

NET = """
layer { name: "in" type: "DummyData" top: "x" top: "t" dummy_data_param { shape { dim: 6 dim: 4 } shape { dim: 6 } } }
layer { name: "shape" type: "Reshape" bottom: "x" top: "y" reshape_param { shape { DIMS } } }
layer { name: "ip" type: "InnerProduct" bottom: "y" top: "ip" inner_product_param { num_output: 1 } }
"""


def solver(dims: str, micro: int) -> RankedSolver:
    param = parse('base_lr: 0.1 lr_policy: "fixed"', caffe_pb2.SolverParameter)
    param.net_param.CopyFrom(parse(NET.replace("DIMS", dims), caffe_pb2.NetParameter))
    return RankedSolver(param, Ranks(micro=micro))


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

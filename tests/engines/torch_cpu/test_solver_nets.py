"""Which nets a solver builds: several test nets, stages, levels, lists of weights; as real Caffe does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workflow.engines.base import Control, Validation
from workflow.engines.torch_cpu import Solver
from workflow.errors import NetError
from workflow.formats import blobproto, caffe_pb2, caffemodel
from workflow.formats.prototxt import parse

NET = """
layer { name: "x" type: "DummyData" top: "x"
  dummy_data_param { shape { dim: [2, 3] } data_filler { value: 0.5 } } }
layer { name: "t" type: "DummyData" top: "t" include { phase: TRAIN } include { stage: "val" }
  dummy_data_param { shape { dim: [2, 3] } data_filler { value: 1 } } }
layer { name: "t2" type: "DummyData" top: "t" include { phase: TEST not_stage: "val" }
  dummy_data_param { shape { dim: [2, 3] } data_filler { value: -2 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
  inner_product_param { num_output: 3 weight_filler { type: "uniform" min: -1 } } }
layer { name: "deep" type: "InnerProduct" bottom: "ip" top: "ip2" include { min_level: 2 }
  inner_product_param { num_output: 2 weight_filler { type: "uniform" min: -1 } } }
layer { name: "calm" type: "Silence" bottom: "ip2" include { min_level: 2 } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "t" top: "loss" }
"""
SOLVER = """
net: "net.prototxt" base_lr: 0.05 lr_policy: "fixed" momentum: 0.5 max_iter: 4 snapshot_after_train: false
test_iter: 1 test_iter: 2 test_iter: 1 test_interval: 2 random_seed: 4
test_state { stage: "val" } test_state { } test_state { level: 2 stage: "val" }
"""
SNIPPET = """
solver = caffe.get_solver('solver.prototxt')
for i, net in enumerate(solver.test_nets):
    result['layers%d' % i] = np.array(list(net._layer_names))
solver.net.save('start.caffemodel')
solver.test_nets[2].save('deep.caffemodel')
solver.step(3)
for i, net in enumerate(solver.test_nets):
    result['loss%d' % i] = net.blobs['loss'].data.copy()
result['w'] = solver.net.params['ip'][0].data.copy()
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    return tmp_path


def solver_of(folder: Path, extra: str = "") -> Solver:
    return Solver(parse(SOLVER + extra, caffe_pb2.SolverParameter), folder=folder)


def test_each_test_net_has_its_own_state(files):
    solver = solver_of(files)
    names = [[layer.spec.name for layer in net.layers] for net in solver.test_nets]
    assert [name for name in names[0] if "split" not in name] == ["x", "t", "ip", "loss"]
    assert [name for name in names[1] if "split" not in name] == ["x", "t2", "ip", "loss"]
    assert [name for name in names[2] if "split" not in name] == ["x", "t", "ip", "deep", "calm", "loss"]
    assert all(net.params["ip"][0] is solver.net.params["ip"][0] for net in solver.test_nets)
    events = [event for event in solver.run(Control()) if isinstance(event, Validation)]
    assert [(event.iteration, event.net) for event in events] == [(k, net) for k in (0, 2, 4) for net in range(3)]
    assert events[0].value("loss") == events[2].value("loss") != events[1].value("loss")


def test_the_train_state_asks_for_its_stages(files):
    extra = 'layer { name: "more" type: "Silence" bottom: "x" include { stage: "more" min_level: 1 } }'
    (files / "net.prototxt").write_text(f"{NET}\n{extra}")
    plain, more = solver_of(files), solver_of(files, 'train_state { level: 1 stage: "more" }')
    assert "more" not in [layer.spec.name for layer in plain.net.layers]
    assert "more" in [layer.spec.name for layer in more.net.layers]
    assert "more" not in [layer.spec.name for layer in more.test_nets[0].layers]


def test_weights_are_a_list_loaded_in_order(files):
    solvers = [solver_of(files) for _ in range(2)]
    for number, solver in enumerate(solvers):
        solver.param.snapshot_prefix = f"s{number}"
        for one in solver.net.learnable:
            one.tensor.data.fill_(number + 1)
        solver.snapshot()
    last = solver_of(files, 'weights: "s1_iter_0.caffemodel, s0_iter_0.caffemodel"')
    assert (last.net.params["ip"][0] == 1).all()
    last = solver_of(files, 'weights: "s0_iter_0.caffemodel" weights: "s1_iter_0.caffemodel"')
    assert (last.net.params["ip"][0] == 2).all()


def test_weights_that_no_net_has_are_told_of_once(files, caplog):
    """Those of `deep` have a layer in the third test net."""
    model = caffe_pb2.NetParameter()
    ip = solver_of(files).net.params["ip"]
    model.layer.add(name="ip", blobs=[blobproto.from_array(blob.detach().numpy()) for blob in ip])
    for name in ("deep", "odd"):
        model.layer.add(name=name, type="Fancy", blobs=[blobproto.from_array(np.ones((2, 3)))])
    model.layer[1].blobs.append(blobproto.from_array(np.ones(2)))
    caffemodel.write(files / "odd.caffemodel", model)
    solver = solver_of(files, 'weights: "odd.caffemodel"')
    assert [record.getMessage().rpartition(" ")[2] for record in caplog.records] == ["odd"]
    assert (solver.test_nets[2].params["deep"][0] == 1).all()
    np.testing.assert_array_equal(solver.net.params["ip"][0].detach(), ip[0].detach())


def test_states_must_be_as_many_as_test_nets(files):
    with pytest.raises(NetError, match="4 test_state, expected none or one for each of 3 test nets"):
        solver_of(files, "test_state { }")


@pytest.mark.caffe
def test_real_caffe_builds_and_tests_the_same_nets(files, real_caffe):
    theirs = real_caffe(SNIPPET)
    solver = solver_of(files, 'weights: "start.caffemodel,deep.caffemodel"')
    for index, net in enumerate(solver.test_nets):
        assert [layer.spec.name for layer in net.layers] == theirs[f"layers{index}"].tolist()
    # what a test net has alone comes out of a file of its own, but the shared layers are those of its first test
    start = solver_of(files, 'weights: "start.caffemodel"')
    events = [event for event in start.steps(3, Control()) if isinstance(event, Validation)]
    for event in events[3:]:
        assert event.value("loss") == pytest.approx(float(theirs[f"loss{event.net}"]), rel=1e-5)
    np.testing.assert_allclose(start.net.params["ip"][0].detach().numpy(), theirs["w"], rtol=1e-5)


@pytest.mark.caffe
def test_real_caffe_takes_a_list_of_weights_in_the_same_order(files, real_caffe):
    for number, solver in enumerate([solver_of(files), solver_of(files)]):
        solver.param.snapshot_prefix = f"s{number}"
        for one in solver.net.learnable:
            one.tensor.data.fill_(number + 1)
        solver.snapshot()
    (files / "solver.prototxt").write_text(SOLVER + 'weights: "s1_iter_0.caffemodel,s0_iter_0.caffemodel"')
    said = real_caffe("solver = caffe.get_solver('solver.prototxt')\nresult['w'] = solver.net.params['ip'][0].data")
    assert (said["w"] == 1).all()

from __future__ import annotations

import h5py
import numpy as np
import pytest

from workflow.errors import ModelError
from workflow.formats import caffe_pb2, caffemodel
from workflow.formats.solverstate import State, read, weights_of, write, write_hdf5


@pytest.fixture
def state() -> State:
    random = np.random.default_rng(5)
    history = tuple(random.normal(size=shape).astype(np.float32) for shape in ((4, 3, 3, 2), (4,), (6, 80), (6,)))
    return State(iteration=40, learned_net="snap_iter_40.caffemodel", history=history, current_step=2)


def assert_same(got: State, expected: State) -> None:
    assert (got.iteration, got.learned_net, got.current_step) == (
        expected.iteration,
        expected.learned_net,
        expected.current_step,
    )
    assert len(got.history) == len(expected.history)
    for one, other in zip(got.history, expected.history, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("writer", [write, write_hdf5])
def test_round_trip(tmp_path, state, writer):
    writer(tmp_path / "s", state)
    assert_same(read(tmp_path / "s"), state)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("writer", [write, write_hdf5])
def test_more_than_ten_blobs_keep_their_order(tmp_path, writer):
    state = State(iteration=0, history=tuple(np.full((2,), index, np.float32) for index in range(12)))
    writer(tmp_path / "s", state)
    assert_same(read(tmp_path / "s"), state)


def test_c01_empty_or_cut(text_file, tmp_path, state):
    write(tmp_path / "s", state)
    data = (tmp_path / "s").read_bytes()
    with pytest.raises(ModelError, match="is empty"):
        read(text_file("x.solverstate", b""))
    with pytest.raises(ModelError, match="truncated or damaged"):
        read(text_file("x.solverstate", data[:-1]))
    with pytest.raises(ModelError, match="not a solver state"):
        read(text_file("x.solverstate", caffe_pb2.SolverState(learned_net="x").SerializeToString()))


def test_c01_history_that_does_not_fill_its_shape(text_file):
    message = caffe_pb2.SolverState(iter=3)
    message.history.add(data=[1, 2]).shape.dim.append(3)
    with pytest.raises(ModelError, match=r"x.solverstate: a blob of shape \(3,\) holds 2 values"):
        read(text_file("x.solverstate", message.SerializeToString()))


def test_c01_negative_iteration(text_file):
    with pytest.raises(ModelError, match="iteration -1"):
        read(text_file("x.solverstate", caffe_pb2.SolverState(iter=-1).SerializeToString()))


def test_weights_of_a_state(tmp_path):
    """Where it says; under that name beside it; under its own name beside it."""
    path, there = tmp_path / "new_iter_5.solverstate", tmp_path / "there"
    there.mkdir()
    state = State(iteration=5, learned_net="there/old_iter_5.caffemodel")
    places = [tmp_path / "new_iter_5.caffemodel", tmp_path / "old_iter_5.caffemodel", there / "old_iter_5.caffemodel"]
    with pytest.raises(ModelError, match="needs its weights 'there/old_iter_5.caffemodel'"):
        weights_of(state, path, tmp_path)
    for place in places:
        place.write_bytes(b"")
        assert weights_of(state, path, tmp_path) == place
    assert weights_of(State(iteration=5), path, tmp_path) == places[0]


@pytest.mark.parametrize("writer", [caffemodel.write, caffemodel.write_hdf5])
def test_c03_weights_in_the_place_of_the_state(tmp_path, model, writer):
    writer(tmp_path / "iter_6000.caffemodel", model)
    with pytest.raises(ModelError, match=r"iter_6000.caffemodel holds weights, not solver state") as caught:
        read(tmp_path / "iter_6000.caffemodel")
    assert caught.value.fault == "C03"


def test_c07_missing(tmp_path):
    with pytest.raises(ModelError, match="does not exist") as caught:
        read(tmp_path / "none.solverstate")
    assert caught.value.fault == "C07"


def test_states_that_others_left(shared_data):
    paths = sorted((shared_data / "models").glob("*/*solverstate*"))
    assert len(paths) == 5
    for path in paths:
        state = read(path)
        assert f"iter_{state.iteration}" in path.name
        assert f"iter_{state.iteration}.caffemodel" in state.learned_net
        assert len(state.history) in (8, 10)
        assert state.history[0].shape == (32, 3, 5, 5)


def test_hdf5_with_a_link_to_another_file(tmp_path, state):
    write_hdf5(tmp_path / "other.h5", state)
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["iter"] = np.array([1], np.int32)
        file["history"] = h5py.ExternalLink("other.h5", "history")
    with pytest.raises(ModelError, match="no group 'history'"):
        read(tmp_path / "s.h5")


SOLVER = """net: "net.prototxt" base_lr: 0.1 lr_policy: "multistep" gamma: 0.5 stepvalue: 1 stepvalue: 2 momentum: 0.9
max_iter: 9 snapshot_prefix: "snap" type: "Nesterov" snapshot_format: %s"""
NET = """
layer { name: "data" type: "DummyData" top: "data" top: "label" dummy_data_param {
  shape { dim: [2, 3] } shape { dim: 2 } data_filler { type: "gaussian" } data_filler { type: "constant" } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""


@pytest.mark.caffe
def test_real_caffe_reads_what_we_write_and_the_other_way_round(tmp_path, real_caffe):
    (tmp_path / "net.prototxt").write_text(NET)
    for kind in ("BINARYPROTO", "HDF5"):
        (tmp_path / kind).write_text(SOLVER % kind)
    written = real_caffe("""
for kind in ('BINARYPROTO', 'HDF5'):
    solver = caffe.get_solver(kind)
    solver.step(3)
    solver.snapshot()
    for k, blob in enumerate(solver.net.params['ip']):
        result['%s %d' % (kind, k)] = blob.data.copy()
""")
    binary, hdf5 = (read(tmp_path / name) for name in ("snap_iter_3.solverstate", "snap_iter_3.solverstate.h5"))
    assert (binary.iteration, binary.current_step, binary.learned_net) == (3, 2, "snap_iter_3.caffemodel")
    assert (hdf5.iteration, hdf5.current_step, hdf5.learned_net) == (3, 2, "snap_iter_3.caffemodel.h5")
    assert [array.shape for array in binary.history] == [array.shape for array in hdf5.history] == [(4, 3), (4,)]

    # The same states under another name, written by us, must restore and be snapshot again with the same values.
    for state, writer, name in ((binary, write, "ours.solverstate"), (hdf5, write_hdf5, "ours.solverstate.h5")):
        writer(tmp_path / name, state)
    real_caffe("""
for kind, name in (('BINARYPROTO', 'ours.solverstate'), ('HDF5', 'ours.solverstate.h5')):
    solver = caffe.get_solver(kind)
    solver.restore(name)
    assert solver.iter == 3
    solver.snapshot()
""")
    assert_same(read(tmp_path / "snap_iter_3.solverstate"), binary)
    assert_same(read(tmp_path / "snap_iter_3.solverstate.h5"), hdf5)
    for kind, name in (("BINARYPROTO", "snap_iter_3.caffemodel"), ("HDF5", "snap_iter_3.caffemodel.h5")):
        (ip,) = [layer for layer in caffemodel.read(tmp_path / name).layer if layer.name == "ip"]
        for index, array in enumerate(caffemodel.arrays(ip)):
            np.testing.assert_array_equal(array, written[f"{kind} {index}"])

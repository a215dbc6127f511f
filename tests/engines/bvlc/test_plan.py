from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from workflow.engines.bvlc.plan import Replay, plan, resumable, start_weights
from workflow.errors import DatabaseError, ModelError, NetError
from workflow.formats import blobproto, caffe_pb2, caffemodel, solverstate

from .conftest import TEST_COUNT, TRAIN_COUNT, net

RANDOM = "mirror: true"


def write_pair(folder: Path, *, learned_net: str, weight: float = 1.5, hdf5: bool = False) -> Path:
    """A caffemodel `a_iter_3.caffemodel` and its state in `folder`; returns the state's path."""
    folder.mkdir(exist_ok=True)
    blob = blobproto.from_array(np.full((2, 3), weight, np.float32))
    layer = caffe_pb2.LayerParameter(name="ip", type="InnerProduct", blobs=[blob])
    caffemodel.write(folder / "a_iter_3.caffemodel", caffe_pb2.NetParameter(name="n", layer=[layer]))
    path = folder / f"a_iter_3.solverstate{'.h5' if hdf5 else ''}"
    state = solverstate.State(
        iteration=3, learned_net=learned_net, history=(np.ones((2, 3), np.float32),), current_step=2
    )
    (solverstate.write_hdf5 if hdf5 else solverstate.write)(path, state)
    return path


def replays(job, iteration):
    return [(one.net, one.layers, one.times) for one in plan(job).replays(iteration)]


def test_whole_rounds_through_a_database_are_left_out(make_job):
    assert (TRAIN_COUNT, TEST_COUNT) == (13, 7)  # batches of 4 and 3: the first record comes round after 13 and 7
    job = make_job()
    assert replays(job, 0) == []
    assert replays(job, 5) == [(-1, ("data",), 5), (0, ("data",), 4)]  # tests before 0 and 4, 2 batches each
    assert replays(job, 13) == [(0, ("data",), 8 % 7)]
    assert replays(job, 16)[0] == (-1, ("data",), 3)


def test_iter_size_counts(make_job):
    assert replays(make_job(solver="iter_size: 3"), 5)[0] == (-1, ("data",), 15 % 13)


def test_the_test_before_the_first_iteration_may_be_left_out(make_job):
    job = make_job(solver="test_initialization: false")
    assert replays(job, 4) == [(-1, ("data",), 4)]
    assert replays(job, 5) == [(-1, ("data",), 5), (0, ("data",), 2)]


def test_no_tests_no_replay_of_them(make_job):
    job = make_job(solver="test_iter: - test_interval: -")
    assert replays(job, 5) == [(-1, ("data",), 5)]


def test_seeded_chance_is_replayed_in_full(make_job):
    job = make_job(net_text=net(transform=RANDOM, test_transform="crop_size: 3", dropout=True))
    assert replays(job, 20) == [(-1, ("data",), 20), (-1, ("drop",), 20), (0, ("data",), 10 % 7)]
    mirrored = make_job(net_text=net(test_transform=RANDOM))
    assert replays(mirrored, 20) == [(-1, ("data",), 20 % 13), (0, ("data",), 10)]


def test_chance_without_a_seed_has_nothing_to_replay(make_job):
    job = make_job(net_text=net(transform=RANDOM, dropout=True), solver="random_seed: -")
    assert replays(job, 20) == [(-1, ("data",), 20 % 13), (0, ("data",), 10 % 7)]


def test_other_sources_of_data_are_replayed_in_full(make_job):
    hdf5 = 'layer { name: "more" type: "HDF5Data" top: "x" hdf5_data_param { source: "list.txt" batch_size: 2 } }\n'
    dummy = 'layer { name: "noise" type: "DummyData" top: "y" dummy_data_param { shape { dim: 2 } } }\n'
    job = make_job(net_text=net() + hdf5 + dummy)
    found = replays(job, 14)
    assert found[:3] == [(-1, ("data",), 1), (-1, ("more",), 14), (-1, ("noise",), 14)]
    assert found[3:] == [(0, ("data",), 8 % 7), (0, ("more",), 8)]


def test_replay_is_a_record():
    assert Replay(net=0, layers=("a",), times=2) == Replay(net=0, layers=("a",), times=2)


@pytest.mark.parametrize(("k", "before"), [(0, True), (1, False), (4, True), (20, True)])
def test_when_tests_come(make_job, k, before):
    assert plan(make_job()).tests_before(k) is before
    assert plan(make_job(solver="test_initialization: false")).tests_before(k) is (before and k > 0)
    assert not plan(make_job(solver="test_iter: -")).tests_before(k)


def test_databases_are_verified_before_caffe_opens_them(make_job):
    job = make_job()
    shutil.rmtree(job.folder / "test_lmdb")
    with pytest.raises(DatabaseError):
        plan(job)
    job = make_job("cut")
    with (job.folder / "train_lmdb" / "data.mdb").open("rb+") as file:
        file.truncate(5000)
    with pytest.raises(DatabaseError):
        plan(job)


def test_a_solver_without_a_net(make_job):
    with pytest.raises(NetError, match="no net"):
        plan(make_job(solver="net: -"))


# ---- what a run starts from ----


def test_weights_are_checked(make_job, tmp_path):
    write_pair(tmp_path / "w", learned_net="")
    model = tmp_path / "w" / "a_iter_3.caffemodel"
    assert start_weights(make_job(weights=(model,))) == [model]
    model.write_bytes(b"hellohello")  # Caffe itself takes this without a word
    with pytest.raises(ModelError):
        start_weights(make_job(weights=(model,)))
    write_pair(tmp_path / "w", learned_net="", weight=float("nan"))
    with pytest.raises(ModelError, match="6 NaN or infinite weights in 'ip'"):
        start_weights(make_job(weights=(model,)))


@pytest.mark.parametrize("hdf5", [False, True])
def test_a_state_whose_weights_are_where_it_says(tmp_path, hdf5):
    state = write_pair(tmp_path / "out", learned_net="out/a_iter_3.caffemodel", hdf5=hdf5)
    assert resumable(state, tmp_path, tmp_path / "temporary") == state


def test_a_state_whose_weights_lie_beside_it(tmp_path):
    state = write_pair(tmp_path / "moved", learned_net="out/a_iter_3.caffemodel")
    (tmp_path / "temporary").mkdir()
    copy = resumable(state, tmp_path, tmp_path / "temporary")
    assert copy.parent == tmp_path / "temporary"
    read = solverstate.read(copy)
    assert (read.iteration, read.current_step) == (3, 2)
    assert read.learned_net == str(tmp_path / "moved" / "a_iter_3.caffemodel")
    np.testing.assert_array_equal(read.history[0], np.ones((2, 3)))


def test_an_hdf5_state_under_another_name_gets_the_ending_that_caffe_looks_at(tmp_path):
    state = write_pair(tmp_path / "out", learned_net="out/a_iter_3.caffemodel", hdf5=True)
    renamed = state.rename(tmp_path / "out" / "a_iter_3.solverstate")
    assert resumable(renamed, tmp_path, tmp_path).name == "state.solverstate.h5"


def test_a_state_without_its_weights(tmp_path):
    state = write_pair(tmp_path / "out", learned_net="out/a_iter_3.caffemodel")
    (tmp_path / "out" / "a_iter_3.caffemodel").unlink()
    with pytest.raises(ModelError, match="needs its weights 'out/a_iter_3.caffemodel'") as caught:
        resumable(state, tmp_path, tmp_path)
    assert caught.value.fault == "C07"

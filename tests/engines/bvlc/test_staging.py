from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from workflow.engines.bvlc.staging import Staging
from workflow.errors import EnvironmentFault, ModelError
from workflow.formats import blobproto, caffe_pb2, caffemodel, solverstate
from workflow.formats.prototxt import read_solver
from workflow.machine import machine
from workflow.storage import leftovers


def stage(staging: Staging, *, iteration: int = 3, weight: float = 1.5, hdf5: bool = False) -> None:
    """Write what Caffe would write there."""
    ending = ".h5" if hdf5 else ""
    blob = blobproto.from_array(np.full((2, 3), weight, np.float32))
    layer = caffe_pb2.LayerParameter(name="ip", type="InnerProduct", blobs=[blob])
    model = f"{staging.inner_prefix}_iter_{iteration}.caffemodel{ending}"
    net = caffe_pb2.NetParameter(name="n", layer=[layer])
    (caffemodel.write_hdf5 if hdf5 else caffemodel.write)(Path(model), net)
    state = solverstate.State(iteration=iteration, learned_net=model, history=(np.ones((2, 3), np.float32),))
    path = Path(f"{staging.inner_prefix}_iter_{iteration}.solverstate{ending}")
    (solverstate.write_hdf5 if hdf5 else solverstate.write)(path, state)


def staging(job):
    return Staging(job, read_solver(job.solver))


def test_the_solver_that_caffe_runs_differs_in_snapshots_only(make_job):
    job = make_job()
    with staging(job) as one:
        ours, theirs = read_solver(job.solver), read_solver(one.solver)
    assert theirs.snapshot_prefix == str(one.inner_prefix)
    assert not theirs.HasField("snapshot")
    assert not theirs.snapshot_after_train
    for field in ("snapshot_prefix", "snapshot", "snapshot_after_train"):
        ours.ClearField(field)
        theirs.ClearField(field)
    assert ours == theirs


@pytest.mark.parametrize("hdf5", [False, True])
def test_commit(make_job, hdf5):
    job = make_job(solver="snapshot_format: HDF5" if hdf5 else "")
    ending = ".h5" if hdf5 else ""
    with staging(job) as one:
        stage(one, hdf5=hdf5)
        assert one.finite(3)
        snapshot = one.commit(3)
        assert [path.name for path in one.folder.iterdir()] == ["solver.prototxt"]
    assert snapshot.model == job.folder / "out" / f"tiny_iter_3.caffemodel{ending}"
    assert snapshot.state == job.folder / "out" / f"tiny_iter_3.solverstate{ending}"
    assert solverstate.read(snapshot.state).learned_net == f"out/tiny_iter_3.caffemodel{ending}"
    assert sorted((job.folder / "out").iterdir()) == [snapshot.model, snapshot.state]


def test_a_cut_model_is_no_snapshot(make_job):
    job = make_job()
    with staging(job) as one:
        stage(one)
        model = Path(f"{one.inner_prefix}_iter_3.caffemodel")
        model.write_bytes(model.read_bytes()[:-5])
        with pytest.raises(ModelError):
            one.finite(3)
        one.discard(3)
        one.discard(3)
    assert list((job.folder / "out").iterdir()) == []


def test_weights_that_are_no_numbers(make_job):
    with staging(make_job()) as one:
        stage(one, weight=np.inf)
        assert not one.finite(3)


def test_an_old_snapshot_of_the_same_name_stays_until_the_new_one_is_whole(make_job):
    job = make_job()
    (job.folder / "out" / "tiny_iter_3.caffemodel").write_bytes(b"old")
    with staging(job) as one:
        stage(one)
        Path(f"{one.inner_prefix}_iter_3.solverstate").unlink()
        with pytest.raises(ModelError):
            one.commit(3)
    assert (job.folder / "out" / "tiny_iter_3.caffemodel").read_bytes() == b"old"


def test_what_a_killed_process_leaves_is_swept(make_job):
    job = make_job()
    one = staging(job).__enter__()
    assert one.folder.parent == job.folder / "out"
    assert leftovers(one.folder.parent) == []  # this process lives
    dead = one.folder.rename(one.folder.with_name(f"tiny.tmp-{machine()}-4194999"))
    assert leftovers(dead.parent) == [dead]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('snapshot_prefix: "out/tiny"', "out/tiny"),
        ('snapshot_prefix: "out"', "out/solver"),  # a folder: the solver's name in it
        ("snapshot_prefix: -", "solver"),  # unset: beside the solver
        ('snapshot_prefix: "new/deep/x"', "new/deep/x"),
    ],
)
def test_prefixes_as_caffe_understands_them(make_job, given, expected):
    job = make_job(solver=given)
    with staging(job) as one:
        assert one.prefix == expected
        assert one.folder.parent == (job.folder / expected).parent
        stage(one)
        assert one.commit(3).model == job.folder / f"{expected}_iter_3.caffemodel"


def test_a_solver_elsewhere_without_a_prefix(make_job, tmp_path):
    job = make_job("project", solver="snapshot_prefix: -")
    elsewhere = tmp_path / "a.prototxt"
    elsewhere.write_text(job.solver.read_text())
    assert staging(structs.replace(job, solver=elsewhere)).prefix == str(tmp_path / "a")


def test_a_place_that_cannot_be_written(make_job):
    job = make_job(solver='snapshot_prefix: "net.prototxt/x"')
    with pytest.raises(EnvironmentFault, match="cannot write to .*net.prototxt") as caught, staging(job):
        pass
    assert caught.value.fault == "T09"


def test_obstacle(make_job):
    with staging(make_job()) as one:
        assert one.obstacle() == ""
        assert [path.name for path in one.folder.iterdir()] == ["solver.prototxt"]
        Path(one.solver).unlink()
        one.folder.rmdir()
        assert one.obstacle() == "No such file or directory"

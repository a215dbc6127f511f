"""prototxt/: the nets and solvers that are shipped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from workflow.engines import get
from workflow.formats import binaryproto, caffe_pb2, datum, lmdb
from workflow.formats.prototxt import read_net, read_solver
from workflow.net.build import build

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "prototxt"
NETS = ("cifar10_quick", "cifar10_full", "lenet")
PARAMETERS = {"cifar10_quick": 145_578, "cifar10_full": 89_578, "lenet": 431_080}


@pytest.mark.parametrize("name", NETS)
def test_train_test_and_deploy_have_the_same_layers_in_between(name: str) -> None:
    train = build(read_net(FOLDER / f"{name}_train_test.prototxt"), phase="TRAIN")
    test = build(read_net(FOLDER / f"{name}_train_test.prototxt"), phase="TEST")
    deploy = build(read_net(FOLDER / f"{name}_deploy.prototxt"), phase="TEST")
    inner = [layer.name for layer in deploy.layers if layer.type not in {"Input", "Softmax"}]
    assert inner == [layer.name for layer in train.layers if layer.type not in {"Data", "SoftmaxWithLoss", "Split"}]
    assert test.outputs == ("accuracy", "loss")
    assert deploy.outputs == ("prob",)


@pytest.mark.parametrize("name", NETS)
def test_the_number_of_parameters_that_the_comment_names(name: str) -> None:
    with get("torch").open(read_net(FOLDER / f"{name}_deploy.prototxt"), None) as session:
        count = sum(blob.size for blobs in session.params.values() for blob in blobs)
    assert count == PARAMETERS[name]
    assert f"{count:,} parameters" in (FOLDER / f"{name}_train_test.prototxt").read_text()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*_solver.prototxt")), ids=lambda path: path.stem)
def test_solvers_run_from_the_project_folder(path: Path) -> None:
    solver = read_solver(path)
    assert (ROOT / solver.net).is_file()
    assert solver.solver_mode == caffe_pb2.SolverParameter.CPU
    assert solver.random_seed == 1
    assert solver.max_iter % solver.snapshot == 0
    assert solver.snapshot_prefix.startswith("generations/gen1/snapshots/")


BUILD = """
import glob
shapes = {}
for path in sorted(glob.glob(FOLDER + "/*_deploy.prototxt")):
    net = caffe.Net(path, caffe.TEST)
    shapes[path.split("/")[-1]] = net.blobs["prob"].data.shape
result["shapes"] = np.array([shape for _, shape in sorted(shapes.items())])
"""

RUN = """
losses = []
for name in NAMES:
    solver = caffe.get_solver("prototxt/" + name + ".prototxt")
    for net in (solver.net, solver.test_nets[0]):
        losses.append(float(net.forward()["loss"]))
    solver.net.backward()
    solver.apply_update()
result["losses"] = np.array(losses)
"""


@pytest.mark.caffe
def test_real_caffe_builds_the_deploy_nets(real_caffe: Callable) -> None:
    shapes = real_caffe(BUILD.replace("FOLDER", repr(str(FOLDER))))["shapes"]
    assert shapes.tolist() == [[1, 10]] * len(list(FOLDER.glob("*_deploy.prototxt")))


@pytest.mark.caffe
@pytest.mark.parametrize(
    ("names", "shape"),
    [
        (("cifar10_quick_solver", "cifar10_quick_cifar10_solver", "cifar10_full_solver"), (3, 32, 32)),
        (("lenet_solver",), (1, 28, 28)),
    ],
)
def test_real_caffe_runs_the_solvers_unchanged(
    names: tuple[str, ...], shape: tuple[int, int, int], real_caffe: Callable, tmp_path: Path
) -> None:
    dataset = tmp_path / "generations" / "gen1" / "dataset"
    dataset.mkdir(parents=True)
    (dataset.parent / "snapshots").mkdir()  # Caffe asks whether it can write there
    (tmp_path / "prototxt").symlink_to(FOLDER)
    rng = np.random.default_rng(1)
    for split in ("train", "test"):
        with lmdb.Writer(dataset / f"{split}_lmdb") as writer:
            for number in range(20):
                writer.put(b"%08d" % number, datum.encode(rng.integers(0, 256, shape, dtype=np.uint8), number % 10))
    binaryproto.write_mean(dataset / "mean.binaryproto", np.full(shape, 120, np.float32))
    losses = real_caffe(RUN.replace("NAMES", repr(names)))["losses"]
    assert losses == pytest.approx([np.log(10)] * (2 * len(names)), abs=0.5)

"""A generation prepared from drawn pictures, with snapshots of random weights; and a model from elsewhere."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from PIL import Image
from small_net import CLASSES, DEPLOY, NET, SOLVER, picture

from workflow.config import Config, Preprocessing, Train
from workflow.data.prepare import prepare
from workflow.formats import binaryproto, blobproto, caffe_pb2, caffemodel, labels
from workflow.generations import Generation, SnapshotRecord, generation
from workflow.training import as_run

SHAPES = {"conv": [(6, 3, 3, 3), (6,)], "ip": [(3, 54), (3,)]}


def random_weights(seed: int) -> caffe_pb2.NetParameter:
    rng = np.random.default_rng(seed)
    net = caffe_pb2.NetParameter(name="small")
    for name, shapes in SHAPES.items():
        blobs = [blobproto.from_array(rng.normal(size=shape).astype("f") / 30) for shape in shapes]
        net.layer.add(name=name, blobs=blobs)
    return net


def draw_pictures(folder: Path) -> None:
    """24 pictures to train on and 15 to test with."""
    rng = np.random.default_rng(4)
    for split, each in (("train", 8), ("test", 5)):
        for kind, name in enumerate(CLASSES):
            (folder / split / name).mkdir(parents=True)
            for index in range(each):
                pixels = picture(kind, rng).transpose(1, 2, 0)
                Image.fromarray(pixels).save(folder / split / name / f"{index}.png")


def add_snapshot(one: Generation, iteration: int, *, accuracy: float | None = None) -> Path:
    model, state = (f"snapshots/small_iter_{iteration}.{ending}" for ending in ("caffemodel", "solverstate"))
    one.snapshots.mkdir(exist_ok=True)
    caffemodel.write(one.folder / model, random_weights(iteration))
    digest = hashlib.sha256((one.folder / model).read_bytes()).hexdigest()
    record = one.read()
    snapshot = SnapshotRecord(
        iteration=iteration, model=model, state=state, sha256={model: digest}, test_accuracy=accuracy
    )
    one.write(structs.replace(record, snapshots=(*record.snapshots, snapshot)))
    return one.folder / model


@pytest.fixture
def settings(project: Path) -> Config:
    (project / "prototxt").mkdir()
    for name, text in {"train_test": NET, "deploy": DEPLOY, "solver": SOLVER}.items():
        (project / "prototxt" / f"small_{name}.prototxt").write_text(text)
    draw_pictures(project / "images")
    return Config(
        preprocessing=Preprocessing(width=8, height=9),
        train=Train(solver=Path("prototxt/small_solver.prototxt"), deploy=Path("prototxt/small_deploy.prototxt")),
    )


@pytest.fixture
def prepared(settings: Config) -> Generation:
    """Generation 1, before any training."""
    number = prepare(settings).generation
    one = generation(settings, number)
    as_run.write(settings, one, one.read(), max_iter=None, seed=None)
    return one


@pytest.fixture
def trained(prepared: Generation) -> Generation:
    """Generation 1 with snapshots iter_10 and iter_20."""
    add_snapshot(prepared, 10, accuracy=0.7)
    add_snapshot(prepared, 20, accuracy=0.6)
    return prepared


@pytest.fixture
def foreign(project: Path) -> dict[str, str | Path]:
    """What `load` is told about a model from elsewhere."""
    folder = project / "elsewhere"
    folder.mkdir()
    (folder / "deploy.prototxt").write_text(DEPLOY)
    caffemodel.write(folder / "small.caffemodel", random_weights(1))
    binaryproto.write_mean(folder / "mean.binaryproto", np.random.default_rng(2).uniform(90, 120, size=(3, 7, 7)))
    labels.write(folder / "labels.txt", CLASSES)
    return {
        "snapshot": str(folder / "small.caffemodel"),
        "net": folder / "deploy.prototxt",
        "mean": str(folder / "mean.binaryproto"),
        "labels": folder / "labels.txt",
    }

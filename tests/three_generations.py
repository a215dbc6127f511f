"""Three prepared generations of drawn pictures, whose nets say by their weights what they think of what."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
from made_once import made_once
from msgspec import structs
from PIL import Image
from small_net import DEPLOY, NET, SOLVER, picture

from workflow.config import Config, Preprocessing, Train
from workflow.data.prepare import prepare
from workflow.formats import blobproto, caffe_pb2, caffemodel
from workflow.generations import Generation, SnapshotRecord, generation, generations
from workflow.generations.record import Training
from workflow.training import as_run

ROOT = Path("generations")
KINDS = {"circle": 0, "cross": 1, "empty": 2}


def settings() -> Config:
    """Of the small net."""
    return Config(
        preprocessing=Preprocessing(width=8, height=9),
        train=Train(solver=Path("prototxt/small_solver.prototxt"), deploy=Path("prototxt/small_deploy.prototxt")),
    )


def write_prototxt(project: Path) -> None:
    (project / "prototxt").mkdir(exist_ok=True)
    for name, text in {"train_test": NET, "deploy": DEPLOY, "solver": SOLVER}.items():
        (project / "prototxt" / f"small_{name}.prototxt").write_text(text)


def draw(folder: Path, split: str, name: str, start: int, stop: int) -> None:
    """Pictures START.png up to STOP.png of a class; each is always the same."""
    (folder / split / name).mkdir(parents=True, exist_ok=True)
    for index in range(start, stop):
        rng = np.random.default_rng([index, KINDS[name], split == "test"])
        pixels = picture(KINDS[name], rng).transpose(1, 2, 0)
        Image.fromarray(pixels).save(folder / split / name / f"{index}.png")


def weights(classes: int, seed: int, scale: float = 0.2) -> caffe_pb2.NetParameter:
    """Of the small net, random."""
    rng = np.random.default_rng(seed)
    net = caffe_pb2.NetParameter(name="small")
    for name, shapes in {"conv": [(6, 3, 3, 3), (6,)], "ip": [(classes, 54), (classes,)]}.items():
        net.layer.add(
            name=name, blobs=[blobproto.from_array(rng.normal(size=shape).astype("f") * scale) for shape in shapes]
        )
    return net


def add_snapshot(one: Generation, iteration: int, *, accuracy: float | None = None, seed: int | None = None) -> None:
    """A committed snapshot of random weights."""
    model, state = (f"snapshots/small_iter_{iteration}.{ending}" for ending in ("caffemodel", "solverstate"))
    one.snapshots.mkdir(parents=True, exist_ok=True)
    record = one.read()
    caffemodel.write(one.folder / model, weights(len(record.classes), iteration if seed is None else seed))
    digest = hashlib.sha256((one.folder / model).read_bytes()).hexdigest()
    new = SnapshotRecord(iteration=iteration, model=model, state=state, sha256={model: digest}, test_accuracy=accuracy)
    training = Training.of({"engine": "torch"})
    one.write(structs.replace(record, snapshots=(*record.snapshots, new), training=training))


def next_generation(project: Path) -> Generation:
    """Prepare what lies in images/ now, and give the generation two snapshots."""
    number = prepare(settings()).generation
    one = generation(Config(), number)
    as_run.write(settings(), one, one.read(), max_iter=None, seed=None)
    add_snapshot(one, 10, accuracy=0.5, seed=100 * number)
    add_snapshot(one, 20, accuracy=0.6, seed=100 * number + 1)
    return one


def make_three(project: Path) -> list[Generation]:
    """Three generations in the current folder, `project`.

    gen1: 8 circles and 8 crosses to train on, 6 and 6 to test with.
    gen2: 4 more circles and crosses to train on, 5 empty ones of the new class, 4 to test with; circle 0 is gone.
    gen3: circle 1 is called a cross; test picture circle 0 of gen1 is a training picture now; 10 more circles to
    test with.
    """
    _make_three(project)
    return generations(settings())


@made_once
def _make_three(project: Path) -> None:
    images = project / "images"
    write_prototxt(project)
    for name in ("circle", "cross"):
        draw(images, "train", name, 0, 8)
        draw(images, "test", name, 0, 6)
    next_generation(project)
    for name in ("circle", "cross"):
        draw(images, "train", name, 8, 12)
    draw(images, "train", "empty", 0, 5)
    draw(images, "test", "empty", 0, 4)
    (images / "train" / "circle" / "0.png").unlink()
    next_generation(project)
    shutil.move(images / "train" / "circle" / "1.png", images / "train" / "cross" / "was_a_circle.png")
    shutil.move(images / "test" / "circle" / "0.png", images / "train" / "circle" / "was_a_test.png")
    draw(images, "test", "circle", 6, 16)
    next_generation(project)

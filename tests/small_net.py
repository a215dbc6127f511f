"""A small data set and a small net with a bit of everything, for tests of engines and training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workflow.config import Config, Preprocessing
from workflow.formats import binaryproto, datum, labels, lmdb
from workflow.generations import Generation, Record, generation
from workflow.generations.record import PreparedWith

CLASSES = ("circle", "cross", "empty")

NET = """
name: "small"
layer { name: "pictures" type: "Data" top: "data" top: "label" include { phase: TRAIN }
  transform_param { scale: 0.01 mean_file: "?" crop_size: 7 mirror: true }
  data_param { source: "?" batch_size: 8 backend: LMDB } }
layer { name: "pictures" type: "Data" top: "data" top: "label" include { phase: TEST }
  transform_param { scale: 0.01 mean_file: "?" crop_size: 7 }
  data_param { source: "?" batch_size: 5 backend: LMDB } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
  convolution_param { num_output: 6 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "relu" type: "ReLU" bottom: "pool" top: "pool" }
layer { name: "drop" type: "Dropout" bottom: "pool" top: "pool" dropout_param { dropout_ratio: 0.2 } }
layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip"
  inner_product_param { num_output: 3 weight_filler { type: "gaussian" std: 0.1 } } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""

DEPLOY = """
name: "small"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 7 dim: 7 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 6 kernel_size: 3 pad: 1 } }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "relu" type: "ReLU" bottom: "pool" top: "pool" }
layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip" inner_product_param { num_output: 3 } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""

SOLVER = """
net: "prototxt/small_train_test.prototxt"
test_iter: 3 test_interval: 10 base_lr: 0.02 lr_policy: "multistep" gamma: 0.5 stepvalue: 15
momentum: 0.9 weight_decay: 0.004 display: 5 max_iter: 20 snapshot: 10 snapshot_prefix: "small" random_seed: 5
"""


def without_chance(net: str = NET) -> str:
    """The net without crops, mirrors and dropout, so that both engines compute the same."""
    plain = net.replace("crop_size: 7 mirror: true", "").replace("crop_size: 7", "")
    return "\n".join(line for line in plain.splitlines() if '"drop"' not in line)


def picture(kind: int, rng: np.random.Generator) -> np.ndarray:
    """uint8 (3, 9, 8): a ring, a cross or nothing, in noise."""
    pixels = rng.integers(60, 120, size=(3, 9, 8))
    if kind == 0:
        pixels[:, 2:7, 2:6] += 90
        pixels[:, 3:6, 3:5] -= 90
    elif kind == 1:
        pixels[:, 4, 1:7] += 100
        pixels[:, 1:8, 4] += 100
    return pixels.clip(0, 255).astype(np.uint8)


def make_database(folder: Path, count: int, seed: int) -> np.ndarray:
    """An LMDB of `count` pictures; returns their mean."""
    rng = np.random.default_rng(seed)
    total = np.zeros((3, 9, 8))
    with lmdb.Writer(folder) as writer:
        for index in range(count):
            kind = int(rng.integers(0, 3))
            pixels = picture(kind, rng)
            total += pixels
            writer.put(b"%08d_%d.png" % (index, kind), datum.encode(pixels, kind))
    return total / count


def make_generation(project: Path, number: int = 1) -> Generation:
    """A prepared generation of 50 training and 15 test pictures, and prototxt/small_*.prototxt."""
    one = generation(Config(), number)
    (project / one.dataset).mkdir(parents=True)
    mean = make_database(project / one.database("train"), 50, 1)
    make_database(project / one.database("test"), 15, 2)
    binaryproto.write_mean(project / one.mean, mean)
    labels.write(project / one.labels, CLASSES)
    (project / one.manifest).write_text("")
    one.write(
        Record(
            number=number,
            created="2026-01-01T00:00:00+00:00",
            classes=CLASSES,
            preprocessing=Preprocessing(width=8, height=9),
            counts={"train": dict.fromkeys(CLASSES, 0) | {"circle": 50}, "test": dict.fromkeys(CLASSES, 5)},
            hashes={},
            config=PreparedWith(),
            versions={},
        )
    )
    folder = project / "prototxt"
    folder.mkdir(exist_ok=True)
    (folder / "small_train_test.prototxt").write_text(NET)
    (folder / "small_deploy.prototxt").write_text(DEPLOY)
    (folder / "small_solver.prototxt").write_text(SOLVER)
    return one


def edit(path: Path, old: str, new: str) -> None:
    """Replace a piece of a file that must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))

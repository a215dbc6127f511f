"""What is said at the end of a training that went wrong: each net and data set here is made to fail in that way."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from small_net import edit, picture

from workflow.config import Config
from workflow.formats import datum, lmdb
from workflow.generations import existing
from workflow.training.summary import summary

FROZEN = "param { lr_mult: 0 } param { lr_mult: 0 }"
RATES = "param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 }"
NET_FILE, SOLVER_FILE = Path("prototxt/small_train_test.prototxt"), Path("prototxt/small_solver.prototxt")


def replace(database: Path, pictures: list[tuple[np.ndarray, int]]) -> None:
    for file in database.iterdir():
        file.unlink()
    with lmdb.Writer(database) as writer:
        for index, (pixels, label) in enumerate(pictures):
            writer.put(b"%08d_x.png" % index, datum.encode(pixels, label))


def noise(count: int, seed: int) -> list[tuple[np.ndarray, int]]:
    rng = np.random.default_rng(seed)
    return [(rng.integers(0, 255, (3, 9, 8)).astype(np.uint8), int(rng.integers(0, 3))) for _ in range(count)]


@pytest.fixture
def warnings(run, generation, caplog):
    """Train to the end; what was said at the end, which is also in the record and in the summary."""

    def go(**options):
        run(**options)
        said = summary(Config(), None)["warnings"]
        assert list(existing(Config()).read().training.warnings) == said
        assert set(said) <= set(caplog.messages)
        return said

    return go


def test_a_run_that_learns_says_nothing(warnings, generation):
    rng = np.random.default_rng(3)
    pictures = [(picture(index % 3, rng), index % 3) for index in range(48)]
    replace(generation.database("train"), pictures)
    edit(SOLVER_FILE, "max_iter: 20", "max_iter: 200")
    edit(SOLVER_FILE, "stepvalue: 15", "stepvalue: 150")
    assert warnings() == []


def test_few_pictures_learnt_by_heart(warnings, generation):
    """Noise with random labels: 24 pictures can be memorised, and nothing else can be learned from them."""
    replace(generation.database("train"), noise(24, 1))
    replace(generation.database("test"), noise(15, 2))
    net = NET_FILE.read_text().replace("dropout_ratio: 0.2", "dropout_ratio: 0").replace("mirror: true", "")
    NET_FILE.write_text(net.replace("crop_size: 7", "").replace("num_output: 6", "num_output: 30"))
    edit(Path("prototxt/small_deploy.prototxt"), "dim: 1 dim: 3 dim: 7 dim: 7", "dim: 1 dim: 3 dim: 9 dim: 8")
    edit(Path("prototxt/small_deploy.prototxt"), "num_output: 6", "num_output: 30")
    edit(SOLVER_FILE, "stepvalue: 15", "stepvalue: 350")
    edit(SOLVER_FILE, "weight_decay: 0.004", "weight_decay: 0")
    (said,) = [one for one in warnings(max_iter=400) if "memorises its training pictures" in one]
    assert re.match(r"accuracy (1.0|0.[89])\d* on training pictures, 0.[2-5]\d* on test pictures: ", said)
    assert "wf next FOLDER chooses them" in said


def test_dead_channels(warnings, generation):
    edit(NET_FILE, 'weight_filler { type: "xavier" } } }', 'weight_filler { type: "constant" value: 0 } } }')
    edit(NET_FILE, RATES, FROZEN)
    (said,) = [one for one in warnings() if "dead" in one]
    assert said.startswith(
        "6 of 6 channels of 'conv' are dead: none of 50 training pictures changes them. Lower base_lr in"
    )
    assert said.endswith("prototxt/small_solver.prototxt, then wf train --fresh")


def test_test_pictures_that_are_training_pictures(warnings, generation):
    def lines(split, digests):
        return [
            json.dumps({"path": f"{split}{k}.png", "sha256": digest, "class": "cross", "split": split, "crc32": k})
            for k, digest in enumerate(digests)
        ]

    train, test = [f"{k:064x}" for k in range(50)], [f"{k:064x}" for k in range(47, 62)]
    generation.manifest.write_text("\n".join(lines("train", train) + lines("test", test)) + "\n")
    (said,) = [one for one in warnings() if "copies" in one]
    assert said.startswith("3 of 15 test pictures are copies of training pictures: the accuracy is too high")


def test_nothing_is_said_of_a_run_that_was_stopped(run, generation, settings):
    from workflow.engines.base import Control, Step
    from workflow.training import train

    edit(NET_FILE, RATES, FROZEN)
    control = Control()
    for event in train(settings, control=control):
        if isinstance(event, Step) and event.iteration == 12:
            control.stop()
    assert existing(Config()).read().training.warnings == ()

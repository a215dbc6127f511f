"""Pictures that excite the net most."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from workflow.errors import UsageError
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.synthesis.ascent import Recipe, dream
from workflow.interpretation.synthesis.dream import maximise
from workflow.interpretation.targets import channels, of_class, unit

QUICK = Recipe(steps=24, seeds=2, frames=4)


@pytest.mark.parametrize("name", ["cifar10_full", "lenet"])
def test_classes_are_recognised(name, model):
    found = maximise(model(name), classes=["1", "7"], recipe=QUICK)
    side = 28 if name == "lenet" else 32
    for one in found:
        assert one.dream.pixels.shape == (1 if name == "lenet" else 3, side, side)
        assert one.dream.probability > 0.11  # a random net's classes have about 0.1 each
        assert one.natural_percentile is None
        assert one.json()["class"] == one.target.name
    assert not np.array_equal(found[0].dream.pixels, found[1].dream.pixels)


def test_values_are_those_of_the_rounded_picture(model):
    net = Differentiable(model("cifar10_full"))
    target = of_class(net, "3")
    (found,) = dream(net, [target], QUICK)
    again = float(target.value(net.run(net.blob([found.pixels])))[0])
    assert found.activation == pytest.approx(again, rel=1e-5)
    assert found.activation == found.others.max()
    assert np.array_equal(found.film[-1], found.pixels)
    assert len(found.film) == 4


def test_every_channel_of_a_blob_at_once(model):
    net = Differentiable(model("lenet"))
    targets = channels(net, "conv1")[:5]
    start = dream(net, targets, dataclasses.replace(QUICK, steps=1))
    later = dream(net, targets, QUICK)
    assert all(after.activation > before.activation for before, after in zip(start, later, strict=True))


def test_a_unit_moves_its_receptive_field_alone(model):
    net = Differentiable(model("cifar10_full"))
    recipe = dataclasses.replace(QUICK, jitter=0, variation=0)
    (found,) = dream(net, [unit(net, "conv1:3,4,5")], recipe)
    moved = (found.film[0] != found.film[-1]).any(0)
    rows, columns = np.nonzero(moved)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 6, 3, 7)  # 5 x 5 around row 4, column 5


def test_the_same_seed_gives_the_same_picture(model):
    net = Differentiable(model("lenet"))
    target = of_class(net, "0")
    one, other = (dream(net, [target], QUICK)[0].pixels for _ in range(2))
    assert np.array_equal(one, other)
    another = dream(net, [target], dataclasses.replace(QUICK, seed=5))[0].pixels
    assert not np.array_equal(one, another)


def test_what_cannot_be_asked(model):
    with pytest.raises(UsageError, match="--class and --unit cannot be used together"):
        maximise(model("lenet"), classes=["1"], units=["conv1:1"])
    with pytest.raises(UsageError, match="several blobs"):
        maximise(model("lenet"), units=["conv1:1", "conv2:1"])

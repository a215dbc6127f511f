"""The distance of a picture to the classes, and the file beside the weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workflow.exams import novelty
from workflow.exams.novelty import Novelty
from workflow.models.loading import load

RNG = np.random.default_rng(1)
LENGTH, CLASSES = 2 * 6 + 3, 3


@pytest.fixture
def rule() -> Novelty:
    return Novelty(
        maps=("pool",),
        logits="ip",
        small=np.full(LENGTH - CLASSES, 0.1, np.float32),
        centre=RNG.normal(size=LENGTH).astype(np.float32),
        whitening=RNG.normal(size=(LENGTH, LENGTH)).astype(np.float32),
        means=RNG.normal(size=(CLASSES, LENGTH)).astype(np.float32),
        limit=2.5,
    )


def test_the_distance_is_that_to_the_nearest_mean(rule: Novelty) -> None:
    values = {"pool": RNG.normal(size=(4, 6, 3, 2)).astype("f"), "ip": RNG.normal(size=(4, 3)).astype("f")}
    found = rule.distance(values)
    for row in range(4):
        profile = [np.log(abs(channel.mean()) + 0.1) for channel in values["pool"][row].astype("d")]
        profile += [np.log(channel.std() + 0.1) for channel in values["pool"][row].astype("d")]
        profile += values["ip"][row].tolist()
        at = (np.array(profile) - rule.centre) @ rule.whitening
        away = min(float(np.linalg.norm(at - mean)) for mean in rule.means)
        assert found[row] == pytest.approx(away / 2.5, rel=1e-6)


def test_the_file_is_of_these_weights_alone(settings, trained, rule: Novelty) -> None:
    model = load(settings)
    assert novelty.read(model) is None
    path = novelty.path_of(model.file)
    assert path.name == "small_iter_20.unknown.npz"
    assert novelty.path_of(Path("a/x_iter_3.caffemodel.h5")) == Path("a/x_iter_3.unknown.npz")
    novelty.write(path, model, rule)
    found = novelty.read(load(settings))
    assert (found.maps, found.logits, found.limit) == (rule.maps, rule.logits, rule.limit)
    np.testing.assert_array_equal(found.whitening, rule.whitening)
    other = load(settings, snapshot="iter_10")
    path.rename(novelty.path_of(other.file))
    assert novelty.read(other) is None  # it was made for other weights
    novelty.path_of(other.file).rename(path)
    path.write_bytes(path.read_bytes()[:-200])
    assert novelty.read(model) is None
    assert novelty.read(replace(model, file=None)) is None


def test_maps_that_only_the_rule_looks_at_are_not_kept(rule: Novelty) -> None:
    values = {name: RNG.normal(size=(4, *rest)).astype("f") for name, rest in (("pool", (6, 3, 2)), ("ip", (3,)))}
    found = novelty.reduced(values, {"ip", "no such blob"}, rule)
    assert set(found) == {"ip", novelty.DISTANCE}
    np.testing.assert_array_equal(found[novelty.DISTANCE], rule.distance(values))
    assert set(novelty.reduced(values, {"ip"}, None)) == {"ip"}
    assert rule.identity == replace(rule).identity != replace(rule, limit=2.0).identity

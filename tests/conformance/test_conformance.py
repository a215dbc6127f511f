"""A fixed few of the random nets of scripts/conformance, in one process of real Caffe."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from conformance.case import ELSEWHERE, GENERATORS, Case, generator, load_families
from conformance.recording import record
from conformance.replay import error, replay

from workflow.layers import layer_types
from workflow.solvers import rule_types

load_families()
NETS = 2


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Two nets of every layer type as real Caffe ran them, and their folders."""
    folder = tmp_path_factory.mktemp("conformance")
    cases = {
        f"{kind}{i}": (kind, case)
        for kind, one in GENERATORS.items()
        if not one.by_golden_file
        for i, case in enumerate(one.cases(NETS, seed=3))
    }
    return record(cases, folder), folder


def test_every_layer_type_has_a_generator_or_says_why_not():
    assert set(layer_types()) == set(GENERATORS) | set(ELSEWHERE)
    assert not set(GENERATORS) & set(ELSEWHERE)


def test_the_page_of_results_has_every_type_and_no_miss():
    page = (Path(__file__).parents[2] / "docs" / "layers.md").read_text()
    layers, solvers = page.split("## Solvers")
    rows = re.findall(r"^\| (\w+) \| (\d*)", layers, re.MULTILINE)
    assert [kind for kind, _ in rows if kind != "layer"] == layer_types(), (
        "run scripts/conformance --write docs/layers.md"
    )
    assert all(int(count) >= 20 for kind, count in rows if kind in GENERATORS)
    assert {kind for kind in re.findall(r"^\| (\w+) \|", solvers, re.MULTILINE) if kind != "solver"} == set(
        rule_types()
    )
    assert "MISSED" not in page


@pytest.mark.caffe
@pytest.mark.parametrize("kind", sorted(kind for kind, one in GENERATORS.items() if not one.by_golden_file))
def test_random_nets_agree_with_caffe(recorded, kind):
    recordings, folder = recorded
    for i in range(NETS):
        worst = replay(recordings[f"{kind}{i}"], folder / f"{kind}{i}")
        assert max(worst.outputs, worst.gradients) <= GENERATORS[kind].tolerance, (worst, recordings[f"{kind}{i}"])


def test_nets_are_random_but_the_same_every_time():
    relu = GENERATORS["ReLU"]
    texts = [case.prototxt("ReLU") for case in relu.cases(5)]
    assert texts == [case.prototxt("ReLU") for case in relu.cases(5)]
    assert len(set(texts)) == 5
    assert texts != [case.prototxt("ReLU") for case in relu.cases(5, seed=2)]


def test_a_loose_tolerance_needs_a_reason():
    with pytest.raises(ValueError, match="needs a reason"):
        generator("Loose", tolerance=1e-3)


def test_fixed_bottoms_stand_apart_from_those_that_want_gradients():
    x = np.zeros((2, 3), np.float32)
    text = Case(bottoms=[x, x], fixed=[1]).prototxt("Filter")
    assert "force_backward" not in text
    assert 'bottom: "x0" bottom: "b1" top: "y0" loss_weight: 1' in text


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [([1.0, 2.0], [1.0, 2.5], 0.2), ([1e-9], [0.0], 1e-7), ([np.nan], [np.nan], 0), ([np.inf], [1.0], np.inf)],
)
def test_error_is_relative_to_the_largest_number(ours, theirs, expected):
    assert error(np.array(ours), np.array(theirs), "y") == pytest.approx(expected)

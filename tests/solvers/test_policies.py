from __future__ import annotations

import math

import pytest

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.solvers import Rate


def rate(**settings):
    return Rate(caffe_pb2.SolverParameter(base_lr=0.5, **settings))


@pytest.mark.parametrize(
    ("settings", "formula"),
    [
        ({"lr_policy": "fixed"}, lambda k: 0.5),
        ({"lr_policy": "step", "gamma": 0.1, "stepsize": 3}, lambda k: 0.5 * 0.1 ** (k // 3)),
        ({"lr_policy": "exp", "gamma": 0.9}, lambda k: 0.5 * 0.9**k),
        ({"lr_policy": "inv", "gamma": 0.1, "power": 0.75}, lambda k: 0.5 * (1 + 0.1 * k) ** -0.75),
        ({"lr_policy": "poly", "power": 2, "max_iter": 20}, lambda k: 0.5 * (1 - k / 20) ** 2),
        ({"lr_policy": "sigmoid", "gamma": 0.4, "stepsize": 9}, lambda k: 0.5 / (1 + math.exp(-0.4 * (k - 9)))),
        ({"lr_policy": "multistep", "gamma": 0.1, "stepvalue": [4, 9]}, lambda k: 0.5 * 0.1 ** ((k >= 4) + (k >= 9))),
    ],
)
def test_formula_over_twenty_iterations(settings, formula):
    policy = rate(**settings)
    assert [policy.at(k) for k in range(20)] == pytest.approx([formula(k) for k in range(20)], rel=1e-6)


def test_equal_stepvalues_take_one_query_each():
    policy = rate(lr_policy="multistep", gamma=0.1, stepvalue=[2, 2])
    assert [policy.at(k) for k in range(4)] == pytest.approx([0.5, 0.5, 0.05, 0.005])
    assert policy.current_step == 2


def test_multistep_goes_on_from_the_step_of_the_solverstate():
    policy = Rate(caffe_pb2.SolverParameter(base_lr=0.5, lr_policy="multistep", gamma=0.1, stepvalue=[2, 4]), 1)
    assert [policy.at(k) for k in (3, 4)] == pytest.approx([0.05, 0.005])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "lr_policy '' is unknown"),
        ({"lr_policy": "stp"}, "'stp' is unknown; known: exp, fixed"),
        ({"lr_policy": "step", "gamma": 0.1}, "stepsize=0"),
        ({"lr_policy": "exp", "gamma": -1}, "gamma=-1"),
    ],
)
def test_settings_that_cannot_be(settings, words):
    with pytest.raises(NetError, match=words):
        rate(**settings)

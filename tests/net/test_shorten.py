from __future__ import annotations

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

from workflow.formats import caffe_pb2
from workflow.net.shorten import shortened
from workflow.solvers.policies import Rate

POLICIES = {
    "fixed": "",
    "step": "gamma: 0.1 stepsize: 400",
    "exp": "gamma: 0.999",
    "inv": "gamma: 0.001 power: 0.75",
    "multistep": "gamma: 0.1 stepvalue: 500 stepvalue: 800",
    "poly": "power: 1",
    "sigmoid": "gamma: 0.01 stepsize: 500",
}


def solver(policy="fixed", more=""):
    text = f"""base_lr: 0.1 lr_policy: "{policy}" max_iter: 1000 test_interval: 100 snapshot: 250 display: 20 {more}"""
    return text_format.Parse(text, caffe_pb2.SolverParameter())


def test_a_schedule_that_is_short_enough_stays():
    assert shortened(solver(), 1000) == solver()
    assert shortened(solver(), 5000) == solver()


def test_tests_and_snapshots_come_as_often_in_all():
    short = shortened(solver(), 100)
    assert (short.max_iter, short.test_interval, short.snapshot, short.display) == (100, 10, 25, 2)
    none = solver()
    none.snapshot = 0
    assert shortened(none, 100).snapshot == 0


@given(iterations=st.integers(1, 999))
def test_snapshots_that_are_tested_still_are(iterations):
    aligned = solver()
    aligned.snapshot = 200
    short = shortened(aligned, iterations)
    assert short.snapshot == 2 * short.test_interval


@given(iterations=st.integers(1, 999))
def test_no_interval_is_shortened_to_nothing(iterations):
    short = shortened(solver("multistep", POLICIES["multistep"]), iterations)
    assert min(short.test_interval, short.snapshot, short.display, *short.stepvalue) >= 1


@pytest.mark.parametrize("policy", POLICIES)
def test_it_goes_through_the_same_rates(policy):
    whole = solver(policy, POLICIES[policy])
    long, short = Rate(whole), Rate(shortened(whole, 200))
    before = [long.at(k) for k in range(1000)][::5]
    assert [short.at(k) for k in range(200)] == pytest.approx(before, rel=1e-5)

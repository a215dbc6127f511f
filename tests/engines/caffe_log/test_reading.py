from __future__ import annotations

import hashlib
import json
import math
from datetime import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.engines.base import Output
from workflow.engines.caffe_log import four_digits, parse, split
from workflow.engines.caffe_log.reading import (
    Finished,
    LearningRate,
    Loss,
    Policy,
    Restarted,
    Resuming,
    Snapshotting,
    Solving,
    Testing,
    TestLoss,
    TestOutput,
    TrainOutput,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "caffe_log"


def said(name):
    lines = (GOLDEN / f"{name}.log").read_text().splitlines()
    return [one for one in map(parse, lines) if one is not None]


def of(kind, records):
    return [one for one in records if isinstance(one, kind)]


def line(message, prefix="I1123 21:48:16.356949 11024 solver.cpp:258]"):
    return f"{prefix} {message}"


def test_goldens_are_what_real_caffe_wrote():
    origin = json.loads((GOLDEN / "ORIGIN.json").read_text())
    for name, expected in origin["sha256"].items():
        assert hashlib.sha256((GOLDEN / name).read_bytes()).hexdigest() == expected


def test_prefix_with_eight_digits():
    entry = split("I20261123 21:48:16.356949  1024 sgd_solver.cpp:112] Iteration 0, lr = 0.05")
    assert (entry.level, entry.year, entry.month, entry.day) == ("I", 2026, 11, 23)
    assert (entry.clock, entry.thread) == (time(21, 48, 16, 356949), 1024)
    assert (entry.file, entry.number, entry.message) == ("sgd_solver.cpp", 112, "Iteration 0, lr = 0.05")


def test_prefix_with_four_digits_on_new_years_eve():
    before, after = (
        split("W1231 23:59:59.999999     7 net.cpp:9] a"),
        split("E0101 00:00:00.000000 1234567 net.cpp:9] b"),
    )
    assert (before.level, before.year, before.month, before.day, before.thread) == ("W", None, 12, 31, 7)
    assert (after.level, after.year, after.month, after.day, after.thread) == ("E", None, 1, 1, 1234567)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "layer {",
        "Iteration 5, loss = 1",
        "I1123 25:48:16.356949 11024 solver.cpp:258] Iteration 5, loss = 1",
        "X1123 21:48:16.356949 11024 solver.cpp:258] Iteration 5, loss = 1",
        "I1123 21:48:16 11024 solver.cpp:258] Iteration 5, loss = 1",
    ],
)
def test_what_begins_no_record(text):
    assert split(text) is None
    assert parse(text) is None


def test_date_gets_four_digits():
    new = "I20261123 21:48:16.356949 11024 solver.cpp:258] Solving net"
    assert four_digits(new) == "I1123 21:48:16.356949 11024 solver.cpp:258] Solving net"
    assert four_digits(four_digits(new)) == four_digits(new)
    assert four_digits("  input: 20261123 21:48") == "  input: 20261123 21:48"


def test_a_whole_run():
    records = said("run")
    assert of(Solving, records) == [Solving(net="golden net")]
    assert of(Policy, records) == [Policy(name="step")]
    assert of(Testing, records) == [Testing(iteration=k, net=0) for k in (0, 4, 8)]
    assert [(one.iteration, one.loss) for one in of(Loss, records)] == [
        (0, 0.836741),
        (3, 0.396906),
        (6, 0.173926),
        (9, 0.851869),
    ]
    assert of(LearningRate, records)[-1] == LearningRate(iteration=6, rate=0.005)
    assert of(TrainOutput, records)[0].output == Output(index=0, name="loss", value=0.418371, loss_weight=2)
    assert [one.output.index for one in of(TestOutput, records)] == [0, 1, 2, 3, 4] * 3
    assert of(TestOutput, records)[3].output == Output(index=3, name="sums", value=-0.946336)
    assert of(Snapshotting, records)[1] == Snapshotting(path="golden_iter_5.solverstate", state=True)
    assert records[-1] == Finished(early=False)


def test_a_resumed_run():
    records = said("resume")
    assert of(Resuming, records) == [Resuming(path="golden_iter_5.solverstate")]
    assert [one.iteration for one in of(Loss, records)] == [6, 9]  # its first speed is -1.78645e+25 iter/s


def test_a_diverged_run():
    records = said("diverged")
    losses = [one.loss for one in of(Loss, records)]
    assert losses[0] == 0.836741
    assert all(math.isnan(loss) for loss in losses[1:])
    assert of(LearningRate, records)[0].rate == 1e20
    assert math.isnan(of(TrainOutput, records)[-1].output.value)
    assert of(TrainOutput, records)[-1].output.loss_weight == 2


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Iteration 7, loss = inf", Loss(iteration=7, loss=math.inf)),
        ("Iteration 7 (1.5 iter/s, 2s/3 iters), loss = -inf", Loss(iteration=7, loss=-math.inf)),
        ("Iteration 0, loss = 1e-05", Loss(iteration=0, loss=1e-5)),
        ("Test loss: 2.5", TestLoss(loss=2.5)),
        (
            "    Test net output #1: loss a = inf (* 0.5 = inf loss)",
            TestOutput(output=Output(index=1, name="loss a", value=math.inf, loss_weight=0.5)),
        ),
        ("Snapshotting to a b_iter_1.caffemodel", Snapshotting(path="a b_iter_1.caffemodel", state=False)),
        ("Snapshotting solver state to HDF5 file x.h5", Snapshotting(path="x.h5", state=True)),
        ("Restarting data prefetching from start.", Restarted()),
        ("Optimization stopped early.", Finished(early=True)),
        ("Network initialization done.", None),
        ("Iteration 7, loss = 1.2.3", None),
        ("Iteration 99 of something", None),
    ],
)
def test_single_messages(message, expected):
    assert parse(line(message)) == expected


def test_a_log_of_2014(shared_data):
    log = shared_data / "golden" / "authorship-recognition" / "output.log"
    records = [one for one in map(parse, log.read_text().splitlines()) if one is not None]
    assert [one.iteration for one in of(Loss, records)] == [0, 1, 2, 3, 4, 5]
    assert [one.rate for one in of(LearningRate, records)] == [0.02, 0.0199985, 0.019997, 0.0199955, 0.019994]
    assert of(Snapshotting, records)[-1].path == "examples/authorship/lenet_iter_5.solverstate"
    assert [one.output.value for one in of(TestOutput, records)] == [0.466667, 0.693845, 0.6, 0.608541]
    assert of(Finished, records) == [Finished(early=False)] * 2


@given(st.text())
def test_nothing_breaks_the_reader(text):
    split(text)
    parse(text)
    parse(line(text))
    four_digits(text)

from __future__ import annotations

from workflow.engines.base import Output
from workflow.engines.bvlc.log import Log, passes_in

P = "I20261123 21:48:16.355749 11024 solver.cpp:102]"
Q = "I1123 21:48:16.355749 11024 solver.cpp:102]"


def log(**changes):
    return Log(**{"solver": "base_lr: 0.1\nsnapshot: 5\n", "renamed": ("/p/out/a.tmp-7/a", "out/a"), **changes})


def test_dates_and_places_are_put_right():
    given = [
        f"{P} Solver scaffolding done.",
        f"{P} Snapshotting to binary proto file /p/out/a.tmp-7/a_iter_5.caffemodel",
    ]
    assert list(log().lines(given)) == [
        f"{Q} Solver scaffolding done.",
        f"{Q} Snapshotting to binary proto file out/a_iter_5.caffemodel",
    ]


def test_the_solvers_text_is_the_users_even_over_two_calls():
    one = log()
    first = list(one.lines([f"{P} Initializing solver from parameters: ", "base_lr: 0.1"]))
    second = list(
        one.lines(["snapshot_prefix: /p/out/a.tmp-7/a", f"{P} Initializing net from parameters: ", "layer {"])
    )
    assert first == [f"{Q} Initializing solver from parameters: ", "base_lr: 0.1", "snapshot: 5"]
    assert second == [f"{Q} Initializing net from parameters: ", "layer {"]


def test_the_displayed_loss_is_replaced():
    given = [
        f"{P} Iteration 3 (3 iter/s, 0s/3 iters), loss = 5",
        f"{P}     Train net output #0: loss = 5 (* 1 = 5 loss)",
        f"{P} Iteration 3, lr = 0.1",
    ]
    right = "Iteration 3 (8 iter/s, 0.4s/3 iters), loss = 4"
    assert list(log().lines(given, right)) == [
        f"{Q} {right}",
        f"{Q}     Train net output #0: loss = 5 (* 1 = 5 loss)",
        f"{Q} Iteration 3, lr = 0.1",
    ]


def test_the_end_does_not_begin_again():
    given = [f"{P} Solving tiny", f"{P} Learning Rate Policy: step", f"{P} Optimization Done."]
    assert list(log().lines(given)) == [f"{Q} Optimization Done."]


def test_test_passes():
    lines = [
        f"{P} Iteration 4, Testing net (#0)",
        f"{P} Restarting data prefetching from start.",
        f"{P}     Test net output #0: accuracy = 0.5",
        "words of a library",
        f"{P}     Test net output #1: loss = nan (* 1 = nan loss)",
        f"{P} Iteration 4, Testing net (#1)",
        f"{P} Iteration 4 (3 iter/s, 0s/3 iters), loss = 5",
    ]
    first, second = passes_in(lines)
    assert first[:2] == (4, 0)
    assert first[2][0] == Output(index=0, name="accuracy", value=0.5)
    assert (first[2][1].name, first[2][1].loss_weight) == ("loss", 1)
    assert second == (4, 1, ())
    assert passes_in(lines[2:5]) == []  # outputs of no test

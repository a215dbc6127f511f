from __future__ import annotations

import math
import os
import re
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.engines.base import Done, Line, Output, Snapshot, SnapshotFailed, Started, Step, Validation
from workflow.engines.caffe_log import Writer, parse, split
from workflow.engines.caffe_log.reading import LearningRate, Loss, TestOutput

GOLDEN = Path(__file__).parents[2] / "golden" / "caffe_log"
NOW = datetime(2026, 1, 2, 3, 4, 5, 67)


def output(index, name, value, weight=0.0):
    return Output(index=index, name=name, value=value, loss_weight=weight)


def step(k, loss, rate, *, display, seconds=0.25):
    outputs = (output(0, "loss", loss / 2, 2.0),) if display else ()
    return Step(
        iteration=k, loss=loss, rate=rate, seconds=seconds, display=display, smoothed_loss=loss, outputs=outputs
    )


def validation(k, *values):
    outputs = [output(0, "loss", values[0], 2.0), *(output(i, "sums", v) for i, v in enumerate(values[1:], 1))]
    return Validation(iteration=k, net=0, outputs=tuple(outputs), seconds=0.5)


def snapshot(k):
    return Snapshot(iteration=k, model=Path(f"golden_iter_{k}.caffemodel"), state=Path(f"golden_iter_{k}.solverstate"))


GOLDEN_RUN = [  # run.log, told as events
    Started(iteration=0, max_iter=9, images=4),
    validation(0, 0.99905, 0.174983, 0.748304, -0.946336, 0.17312),
    step(0, 0.8367412, 0.05, display=True),
    step(1, 0.7, 0.05, display=False),
    step(2, 0.5, 0.05, display=False),
    step(3, 0.396906, 0.05, display=True),
    validation(4, 0.129663, 0.926325, 1.25075, 1.48582, 1.31468),
    step(4, 0.3, 0.05, display=False),
    snapshot(5),
    step(5, 0.2, 0.005, display=False),
    step(6, 0.1739264, 0.005, display=True),
    step(7, 0.2, 0.005, display=False),
    validation(8, 0.4174594, 0.885375, 2.32573, 0.57753, 2.57656),
    step(8, 0.2, 0.005, display=False),
    snapshot(9),
    Done(iteration=9, loss=0.851869, display=True),
]


def writer(**changes):
    return Writer(**{"net": "golden net", "policy": "step", "display": 3, **changes})


def written(events, **changes):
    one = writer(**changes)
    return [line for event in events for line in one.lines(event, now=NOW)]


def plain(line):
    """A line without date, thread and speed, which differ from run to run."""
    entry = split(line)
    return re.sub(r"\(.* iters\)", "()", f"{entry.file}:{entry.number}] {entry.message}")


def test_the_same_lines_as_real_caffe():
    real = (GOLDEN / "run.log").read_text().splitlines()
    solving = next(number for number, line in enumerate(real) if "] Solving " in line)
    ours = [plain(line) for line in written(GOLDEN_RUN) if split(line).file != "caffe.cpp"]
    assert ours == [plain(line) for line in real[solving:]]


def test_prefix():
    (_, start, solving, _) = writer().lines(GOLDEN_RUN[0], now=NOW)
    assert solving == f"I0102 03:04:05.000067 {os.getpid():5d} solver.cpp:289] Solving golden net"
    assert start.endswith("] Starting Optimization")


def test_speed_counts_every_iteration_and_test_since_the_last_display():
    lines = [line for line in written(GOLDEN_RUN) if isinstance(parse(line), Loss)]
    speeds = [re.search(r"\((.*) iter/s, (.*)s/3 iters\)", line) for line in lines]
    # 0.5 s for each test, 0.25 s for each iteration; the last line has no speed
    assert [match and match.groups() for match in speeds] == [("1.33333", "0.75"), ("4", "0.75"), ("2.4", "1.25"), None]


def test_speed_without_a_clock_is_no_division_by_zero():
    (line, *_) = writer().lines(step(0, 1.0, 0.1, display=True, seconds=0.0), now=NOW)
    assert "(0 iter/s, 0s/3 iters)" in line


def test_resumed_and_finetuned():
    resumed = Started(iteration=5, max_iter=9, images=4, resumed_from=Path("a_iter_5.solverstate"))
    assert any(line.endswith("] Resuming from a_iter_5.solverstate") for line in written([resumed]))
    tuned = written([GOLDEN_RUN[0]], weights=(Path("b.caffemodel"),))
    assert any(line.endswith("] Finetuning from b.caffemodel") for line in tuned)


def test_stopped_early():
    lines = written([Done(iteration=4, loss=None, stopped=True)])
    assert [split(line).message for line in lines] == ["Optimization stopped early.", "Optimization Done."]


def test_hdf5_snapshot():
    event = Snapshot(iteration=5, model=Path("a.caffemodel.h5"), state=Path("a.solverstate.h5"))
    assert [split(line).message for line in written([event])] == [
        "Snapshotting to HDF5 file a.caffemodel.h5",
        "Snapshotting solver state to HDF5 file a.solverstate.h5",
    ]


def test_events_without_lines():
    assert written([Line(text="x"), SnapshotFailed(iteration=5, reason="no space")]) == []


# ---- what Caffe's own tools make of it: the patterns of parse_log.py and the columns of parse_log.sh -----------


def rows_as_parse_log_does(lines):
    """(iteration, net, output name, value as text), and the (iteration, rate) that each train row is given."""
    iteration, rate, rows = -1, math.nan, []
    for line in lines:
        if match := re.search(r"Iteration (\d+)", line):
            iteration = int(match[1])
        if match := re.search(r"lr = ([-+]?[0-9]*\.?[0-9]+([eE]?[-+]?[0-9]+)?)", line):
            rate = float(match[1])
        for net in ("Train", "Test"):
            if match := re.search(net + r" net output #(\d+): (\S+) = ([\.\deE+-]+)", line):
                rows.append((iteration, net, match[2], float(match[3]), rate))
    return rows


def same(ours, theirs):
    assert [repr(row) for row in ours] == [repr(row) for row in theirs]  # repr: the first rate is NaN


def test_parse_log_py_makes_the_same_rows_of_ours():
    same(
        rows_as_parse_log_does(written(GOLDEN_RUN)),
        rows_as_parse_log_does((GOLDEN / "run.log").read_text().splitlines()),
    )


def test_parse_log_py_finds_its_start():
    lines = written(GOLDEN_RUN)
    start = next(line for line in lines if "Solving" in line)
    month, day = int(start.split()[0][1:3]), int(start.split()[0][3:5])
    assert datetime(2026, month, day) == datetime(2026, 1, 2)


def test_parse_log_sh_finds_its_columns():
    one = Writer(net="n", policy="fixed", display=1)
    accuracy_first = Validation(iteration=40, net=0, outputs=(output(0, "accuracy", 0.75), output(1, "loss", 0.5, 1.0)))
    lines = [*one.lines(accuracy_first, now=NOW), *one.lines(step(40, 1.25, 1e-5, display=True), now=NOW)]
    fields = [line.split() for line in lines]
    assert [row[10] for row, line in zip(fields, lines, strict=True) if "Test net output #" in line] == ["0.75", "0.5"]
    assert [row[8] for row, line in zip(fields, lines, strict=True) if ", lr = " in line] == ["1e-05"]
    assert [line.split("=")[1].strip() for line in lines if ", loss = " in line] == ["1.25"]
    assert all(line.count("    Test net output") for line in lines if "Test net" in line)


@given(
    st.integers(0, 10**9),
    st.floats(width=32) | st.just(math.inf) | st.just(math.nan),
    st.floats(0, 10, width=32),
)
def test_what_is_written_is_read_back(iteration, loss, rate):
    lines = writer(display=1).lines(step(iteration, loss, rate, display=True), now=NOW)
    first, _, last = map(parse, lines)
    assert first.iteration == last.iteration == iteration
    assert first == Loss(iteration=iteration, loss=first.loss)
    assert last == LearningRate(iteration=iteration, rate=last.rate)
    assert first.loss == pytest.approx(loss, rel=1e-5, nan_ok=True)
    assert last.rate == pytest.approx(rate, rel=1e-5)


@given(st.from_regex(r"[A-Za-z_][A-Za-z0-9_/. -]{0,20}[a-z0-9]", fullmatch=True), st.floats(width=32))
def test_any_output_is_read_back(name, value):
    event = Validation(iteration=3, net=1, outputs=(output(0, name, value, 0.5),))
    _, line = Writer(net="n", policy="fixed").lines(event, now=NOW)
    told = parse(line)
    assert isinstance(told, TestOutput)
    assert (told.output.index, told.output.name, told.output.loss_weight) == (0, name, 0.5)
    assert told.output.value == pytest.approx(value, rel=1e-5, nan_ok=True)

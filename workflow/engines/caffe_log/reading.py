"""Parse a line of Caffe's log into a frozen record; no state is kept between lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time

from workflow.engines.base import Output


@dataclass(frozen=True, kw_only=True)
class Entry:
    """The beginning of one glog record; lines that follow without such a beginning belong to it."""

    level: str
    """I, W, E or F."""
    year: int | None
    """The year; None if the date has only month and day (MMDD)."""
    month: int
    day: int
    clock: time
    thread: int
    file: str
    """The source file of Caffe, such as `solver.cpp`."""
    number: int
    message: str


@dataclass(frozen=True, kw_only=True)
class Solving:
    """`Solving NAME`: where parse_log.py starts its clock."""

    net: str


@dataclass(frozen=True, kw_only=True)
class Policy:
    """`Learning Rate Policy: step`."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Loss:
    """`Iteration K (R iter/s, Ts/D iters), loss = X`; a log's last one, and old logs, have no parenthesis."""

    iteration: int
    loss: float


@dataclass(frozen=True, kw_only=True)
class TrainOutput:
    """`    Train net output #0: loss = X (* 1 = X loss)`."""

    output: Output


@dataclass(frozen=True, kw_only=True)
class LearningRate:
    """`Iteration K, lr = Y`."""

    iteration: int
    rate: float


@dataclass(frozen=True, kw_only=True)
class Testing:
    """`Iteration K, Testing net (#0)`."""

    __test__ = False  # pytest: not a test

    iteration: int
    net: int


@dataclass(frozen=True, kw_only=True)
class TestOutput:
    """`    Test net output #0: accuracy = 0.7`."""

    __test__ = False  # pytest: not a test

    output: Output


@dataclass(frozen=True, kw_only=True)
class TestLoss:
    """`Test loss: X`, where the solver has `test_compute_loss`."""

    __test__ = False  # pytest: not a test

    loss: float


@dataclass(frozen=True, kw_only=True)
class Snapshotting:
    """`Snapshotting to binary proto file F`, or `Snapshotting solver state to …`; HDF5 and old logs too."""

    path: str
    state: bool


@dataclass(frozen=True, kw_only=True)
class Resuming:
    """`Resuming from F` of `caffe train`, `Restoring previous solver status from F` of Solve."""

    path: str


@dataclass(frozen=True, kw_only=True)
class Restarted:
    """`Restarting data prefetching from start.`: a data layer is at the database's first record again."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """`Optimization Done.` or `Optimization stopped early.`."""

    early: bool


Said = (
    Solving
    | Policy
    | Loss
    | TrainOutput
    | LearningRate
    | Testing
    | TestOutput
    | TestLoss
    | Snapshotting
    | Resuming
    | Restarted
    | Finished
)

_PREFIX = re.compile(
    r"(?P<level>[IWEF])(?P<year>\d{4})?(?P<month>\d\d)(?P<day>\d\d) "
    r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)\.(?P<fraction>\d{6}) +"
    r"(?P<thread>\d+) (?P<file>[^\s:]+):(?P<number>\d+)\] ?(?P<message>.*)",
    re.DOTALL | re.ASCII,
)
_NUMBER = r"([-+]?(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|nan|inf))"


def _output_of(net: str) -> str:
    return rf"\s*{net} net output #(\d+): (.+?) = {_NUMBER}(?: \(\* {_NUMBER} = {_NUMBER} loss\))?"


def _output(groups: Sequence[str]) -> Output:
    index, name, value, weight = groups[:4]
    return Output(index=int(index), name=name, value=float(value), loss_weight=float(weight or 0))


def _rule(
    pattern: str, make: Callable[[Sequence[str]], Said]
) -> tuple[re.Pattern[str], Callable[[Sequence[str]], Said]]:
    return re.compile(pattern, re.ASCII), make


_RULES = (
    _rule(rf"Iteration (\d+)(?: \(.*\))?, loss = {_NUMBER}", lambda g: Loss(iteration=int(g[0]), loss=float(g[1]))),
    _rule(_output_of("Train"), lambda g: TrainOutput(output=_output(g))),
    _rule(rf"Iteration (\d+), lr = {_NUMBER}", lambda g: LearningRate(iteration=int(g[0]), rate=float(g[1]))),
    _rule(r"Iteration (\d+), Testing net \(#(\d+)\)", lambda g: Testing(iteration=int(g[0]), net=int(g[1]))),
    _rule(_output_of("Test"), lambda g: TestOutput(output=_output(g))),
    _rule(rf"Test loss: {_NUMBER}", lambda g: TestLoss(loss=float(g[0]))),
    _rule(
        r"Snapshotting (solver state )?to (?:(?:binary proto|HDF5) file )?(.+)",
        lambda g: Snapshotting(path=g[1], state=bool(g[0])),
    ),
    _rule(r"Solving (.*)", lambda g: Solving(net=g[0])),
    _rule(r"Learning Rate Policy: (.*)", lambda g: Policy(name=g[0])),
    _rule(r"(?:Resuming|Restoring previous solver status) from (.+)", lambda g: Resuming(path=g[0])),
    _rule(r"Restarting data prefetching from start\.", lambda _: Restarted()),
    _rule(r"Optimization (Done|stopped early)\.", lambda g: Finished(early=g[0] != "Done")),
)


def split(line: str) -> Entry | None:
    """The parts of a line that begins a glog record; None for any other line."""
    match = _PREFIX.fullmatch(line.rstrip("\r\n"))
    if match is None:
        return None
    part = match.groupdict()
    try:
        clock = time(int(part["hour"]), int(part["minute"]), int(part["second"]), int(part["fraction"]))
    except ValueError:  # 25:61:61 is no time, so this is no record
        return None
    return Entry(
        level=part["level"],
        year=int(part["year"]) if part["year"] else None,
        month=int(part["month"]),
        day=int(part["day"]),
        clock=clock,
        thread=int(part["thread"]),
        file=part["file"],
        number=int(part["number"]),
        message=part["message"],
    )


def parse(line: str) -> Said | None:
    """The record of a line of a solver's log; None for lines that are not about training."""
    entry = split(line)
    if entry is None:
        return None
    for pattern, make in _RULES:
        if match := pattern.fullmatch(entry.message):
            return make([group or "" for group in match.groups()])
    return None


def four_digits(line: str) -> str:
    """The line with its date as MMDD, as Caffe's own log tools need it."""
    return line[0] + line[5:] if (match := _PREFIX.fullmatch(line)) and match["year"] else line

"""Progress on a terminal and elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from workflow.cli import progress
from workflow.cli.console import Console
from workflow.cli.progress import Counter, Training
from workflow.engines.base import Output, Snapshot, Started, Step, Validation
from workflow.words import duration


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain lines come each time, not every ten seconds."""
    monkeypatch.setattr(progress, "_EVERY", 0.0)


def step(iteration: int) -> Step:
    return Step(iteration=iteration, loss=0.9, rate=0.001, seconds=0.5, display=False, smoothed_loss=0.8123)


def test_a_plain_line_for_each_while(at_once: None, capsys: pytest.CaptureFixture[str]) -> None:
    with Counter(Console(), "preparing", "pictures") as counter:
        counter(5, 1000)
    assert capsys.readouterr().err == "preparing 5/1,000\n"


def test_no_more_than_one_in_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    with Counter(Console(), "preparing", "pictures") as counter:
        counter(5, 1000)
    assert capsys.readouterr().err == ""


def test_another_round_has_a_speed_of_its_own(
    at_once: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with Counter(Console(), "looking", "pictures") as counter:
        for later, done, total in ((10, 1000, 1000), (1, 10, 500), (2, 400, 500)):
            now[0] += later
            counter(done, total)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "looking 1,000/1,000  0:00 left  100 pictures/s",
        "looking 10/500",
        "looking 400/500  0:00 left  200 pictures/s",
    ]


def test_a_training_run(at_once: None, capsys: pytest.CaptureFixture[str]) -> None:
    with Training(Console(), always="always answering 'cat' would score 0.6000") as training:
        training.see(Started(iteration=100, max_iter=104, images=64, resumed_from=Path("x.solverstate")))
        training.see(step(100))
        training.see(step(101))
        outputs = (Output(index=0, name="accuracy", value=0.75), Output(index=1, name="loss", value=0.6))
        training.see(Validation(iteration=102, net=0, outputs=outputs))
        training.see(Snapshot(iteration=102, model=Path("m"), state=Path("s")))
        training.see(Validation(iteration=104, net=0, outputs=outputs, balanced=0.625))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "resuming from iter_100, to 104 iterations"
    assert lines[2] == "iteration 102/104  0:00 left  loss 0.8123  rate 0.001  128 pictures/s"
    assert lines[3:] == [
        "after 102 iterations: test accuracy 0.7500, test loss 0.6000 (always answering 'cat' would score 0.6000)",
        "snapshot iter_102",
        "after 104 iterations: test accuracy 0.7500, test balanced accuracy 0.6250, test loss 0.6000",
    ]
    assert training.snapshot == "iter_102"


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (62, "1:02"), (3723, "1:02:03")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("colour", "escapes"), [("", True), ("1", True)])
def test_a_terminal_gets_a_moving_bar(colour: str, escapes: bool) -> None:
    code = (
        "from workflow.cli.console import Console\n"
        "from workflow.cli.progress import Counter\n"
        "with Counter(Console(), 'preparing', 'pictures') as counter:\n"
        "    counter(5, 10)\n"
        "    counter.say('above [the] bar')\n"
    )
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"} | ({"NO_COLOR": colour} if colour else {})
    subprocess.run([sys.executable, "-c", code], stderr=theirs, env=environment, check=True)
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "5/10" in shown
    assert "above [the] bar" in shown
    assert ("\x1b" in shown) == escapes  # the bar moves; NO_COLOR takes the colours alone
    assert not (colour and "\x1b[38" in shown)

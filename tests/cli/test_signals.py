"""Signals become wishes."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from workflow.cli.console import Console
from workflow.cli.signals import obeyed
from workflow.engines.base import Control


def test_sigint_once_and_twice(capfd: pytest.CaptureFixture[str]) -> None:
    control = Control()
    before = signal.getsignal(signal.SIGINT)
    with obeyed(control, Console()) as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        assert control.stopping
        assert interruption.exit_code == 130
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert (
        capfd.readouterr().err
        == "stopping after this iteration and writing a snapshot; press Ctrl-C again to quit now\n"
    )


def test_sigterm_and_sighup() -> None:
    control = Control()
    with obeyed(control, Console()) as interruption:
        os.kill(os.getpid(), signal.SIGHUP)
        assert control.take_snapshot_wish()
        assert not control.stopping
        assert interruption.exit_code == 0
        os.kill(os.getpid(), signal.SIGTERM)
        assert control.stopping
        assert interruption.exit_code == 143


def test_a_thread_gets_no_handlers() -> None:
    """As when a page trains: Python would refuse to install them there."""
    seen: list[int] = []

    def train() -> None:
        with obeyed(Control(), Console()) as interruption:
            seen.append(interruption.exit_code)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert seen == [0]

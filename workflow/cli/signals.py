"""Signal handling during training: finish the iteration, write a snapshot, then stop or continue."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from workflow.api.events import Control
from workflow.cli.boundary import INTERRUPTED, TERMINATED
from workflow.cli.console import Console

Handler = Callable[[int, FrameType | None], None]


class Interruption:
    """The requests that signals have made to a run.

    SIGINT (Ctrl-C): stop after this iteration, with a snapshot; a second one quits at once, as KeyboardInterrupt.
    SIGTERM: as the first SIGINT. SIGHUP: snapshot and go on, as `caffe train` does.
    """

    def __init__(self, control: Control, console: Console) -> None:
        self.exit_code = 0
        self._control = control
        self._console = console

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGINT."""
        del number, frame
        if self._control.stopping:
            raise KeyboardInterrupt
        self._stop(INTERRUPTED, "stopping after this iteration and writing a snapshot; press Ctrl-C again to quit now")

    def terminate(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGTERM."""
        del number, frame
        self._stop(TERMINATED, "terminated: stopping after this iteration and writing a snapshot")

    def hang_up(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGHUP."""
        del number, frame
        self._control.snapshot()
        self._console.urgent("snapshot after this iteration")

    def _stop(self, exit_code: int, words: str) -> None:
        self.exit_code = exit_code
        self._control.stop()
        self._console.urgent(words)


@contextmanager
def obeyed(control: Control, console: Console) -> Iterator[Interruption]:
    """Within this context, turn signals into requests to `control`; the old handlers are restored afterwards."""
    interruption = Interruption(control, console)
    handlers: dict[signal.Signals, Handler] = {
        signal.SIGINT: interruption.interrupt,
        signal.SIGTERM: interruption.terminate,
        signal.SIGHUP: interruption.hang_up,
    }
    if threading.current_thread() is not threading.main_thread():
        handlers = {}  # Python delivers signals to the main thread only
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""Progress of a long command: a live line on a terminal, otherwise a plain line every ten seconds."""

from __future__ import annotations

import sys
import time
from collections import deque
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from workflow.cli.console import Console, fitted
from workflow.words import duration

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from workflow.api.events import Event, Started, Step, Validation

_EVERY = 10.0  # seconds between plain lines
_WINDOW = 50  # steps over which the speed is averaged


class Line:
    """One bar with words behind it; a context manager.

    Args:
        console: where to speak.
        name: what is being done, such as `preparing`.
    """

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._name = name
        self._stack = ExitStack()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._spoken = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.live:
            from rich.console import Console as Terminal  # 50 ms that only a terminal needs
            from rich.progress import BarColumn, Progress, TextColumn

            terminal = Terminal(stderr=True)
            bar = BarColumn(bar_width=max(8, min(40, terminal.width // 5)))  # a narrow terminal cuts what stands last
            columns = (TextColumn("{task.description}"), bar, TextColumn("{task.fields[words]}"))
            self._bar = Progress(*columns, console=terminal, transient=True, refresh_per_second=5)
            self._stack.enter_context(self._bar)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def show(self, done: int, total: int, words: str = "") -> None:
        """Show that `done` of `total` are done."""
        count = f"{done:,}/{total:,}"
        if self._bar is not None:
            if self._task is None:
                self._task = self._bar.add_task(self._name, total=total, words="")
            self._bar.update(self._task, completed=done, total=total, words=f"{count}  {words}")
        elif time.monotonic() - self._spoken >= _EVERY:
            self._spoken = time.monotonic()
            self._console.say(f"{self._name} {count}  {words}".rstrip())

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self._bar is not None:
            self._bar.console.print(fitted(text, sys.stderr), markup=False, highlight=False, soft_wrap=True)
        else:
            self._console.say(text)


class Counter(Line):
    """Progress of things that are counted: call it with (done, total)."""

    def __init__(self, console: Console, name: str, things: str) -> None:
        super().__init__(console, name)
        self._things = things
        self._started = time.monotonic()
        self._done = 0

    def __call__(self, done: int, total: int) -> None:
        """`done` of `total` things are done; fewer than the last time begin another round."""
        if done < self._done:
            self._started = time.monotonic()
        self._done = done
        seconds = time.monotonic() - self._started
        words = ""
        if seconds > 1 and done:
            words = f"{duration(seconds / done * (total - done))} left  {done / seconds:,.0f} {self._things}/s"
        self.show(done, total, words)


class Training(Line):
    """Progress of a training run, drawn from its events.

    Args:
        console: where to speak.
        always: the best constant answer to the test passes, shown beside the first accuracy.
    """

    def __init__(self, console: Console, *, always: str | None = None) -> None:
        super().__init__(console, "iteration")
        self._always = always
        self.snapshot: str | None = None
        """The last snapshot that is whole, such as `iter_6000`."""
        self.iteration = 0
        self._began = 0
        self._goal = 0
        self._images = 0
        self._started = time.monotonic()
        self._seconds: deque[float] = deque(maxlen=_WINDOW)

    def see(self, event: Event) -> None:
        """Show one event."""
        from workflow.api.events import Note, Snapshot, Started, Step, Validation  # numpy: not for --help

        match event:
            case Started():
                self._start(event)
            case Step():
                self._step(event)
            case Validation():
                self.say(self._tested(event))
            case Note():
                self.say(event.text)
            case Snapshot():
                self.snapshot = f"iter_{event.iteration}"
                self.say(f"snapshot {self.snapshot}")
            case _:
                pass

    def _tested(self, event: Validation) -> str:
        told = [(output.name, output.value) for output in event.outputs[:4]]
        scored = any(name.startswith("accuracy") for name, _ in told)
        if event.balanced is not None and all(f"{value:.4f}" != f"{event.balanced:.4f}" for _, value in told):
            told.insert(1, ("balanced accuracy", event.balanced))
        numbers = ", ".join(f"{event.split} {name} {value:.4f}" for name, value in told)
        beside = f" ({self._always})" if scored and self._always is not None else ""
        if scored:
            self._always = None  # once is enough
        return f"after {event.iteration:,} iterations: {numbers}{beside}"

    def _start(self, event: Started) -> None:
        self._began, self._goal, self._images = event.iteration, event.max_iter, event.images
        self._started = time.monotonic()
        self.iteration = event.iteration
        if event.resumed_from is not None:
            self.snapshot = f"iter_{event.iteration}"
        if event.resumed_from is not None and event.iteration < event.max_iter:
            self.say(f"resuming from {self.snapshot}, to {event.max_iter:,} iterations")

    def _step(self, event: Step) -> None:
        self.iteration = event.iteration + 1
        self._seconds.append(event.seconds)
        done = self.iteration - self._began
        left = (time.monotonic() - self._started) / done * (self._goal - self.iteration)
        speed = self._images * len(self._seconds) / max(sum(self._seconds), 1e-9)
        words = f"{duration(left)} left  loss {event.smoothed_loss:.4g}  rate {event.rate:.4g}  {speed:,.0f} pictures/s"
        self.show(self.iteration, self._goal, words)

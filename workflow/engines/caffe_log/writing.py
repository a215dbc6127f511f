"""Write the log lines that Caffe would write for an event."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from workflow.engines.base import Done, Event, Output, Snapshot, Started, Step, Validation
from workflow.paths import recorded

_HERE = {  # where real Caffe says these things
    "use": "caffe.cpp:197",
    "resume": "caffe.cpp:241",
    "finetune": "caffe.cpp:155",
    "start": "caffe.cpp:248",
    "solving": "solver.cpp:289",
    "policy": "solver.cpp:290",
    "loss": "solver.cpp:239",
    "train": "solver.cpp:258",
    "rate": "sgd_solver.cpp:112",
    "testing": "solver.cpp:347",
    "test": "solver.cpp:414",
    "model": "solver.cpp:464",
    "model.h5": "solver.cpp:475",
    "state": "sgd_solver.cpp:284",
    "state.h5": "sgd_solver.cpp:298",
    "last": "solver.cpp:327",
    "early": "solver.cpp:317",
    "done": "solver.cpp:332",
    "exit": "caffe.cpp:259",
}


@dataclass(kw_only=True)
class Writer:
    """Turns the events of a run into Caffe's log lines; feed it every event, in order.

    It remembers how long the iterations since the last display took, for the `(R iter/s, Ts/D iters)` of the next.
    (Real Caffe divides by an iteration too many at first and prints garbage; here every rate is a true one.)
    """

    net: str
    """Name of the net, for `Solving NAME`."""
    policy: str
    """The solver's lr_policy."""
    display: int = 0
    """The solver's display interval."""
    weights: Sequence[Path | str] = ()
    """Caffemodels that the run starts from."""
    project: Path = Path()
    """The project folder: Caffe runs there, and its log names files relative to it."""
    _steps: int = field(default=0, init=False)
    _seconds: float = field(default=0.0, init=False)

    def lines(self, event: Event, *, now: datetime | None = None) -> list[str]:
        """The lines of one event, without newlines; none for an event that Caffe does not log.

        Args:
            event: a Line or SnapshotFailed gives none.
            now: local time of the lines; None is the present.
        """
        return [_line(where, message, now or datetime.now()) for where, message in self.messages(event)]

    def messages(self, event: Event) -> list[tuple[str, str]]:
        """Pairs (`file.cpp:NUMBER`, message) of one event: the lines without their prefix."""
        match event:
            case Started():
                return self._started(event)
            case Step():
                return self._step(event)
            case Validation():
                self._seconds += event.seconds
                head = (_HERE["testing"], f"Iteration {event.iteration}, Testing net (#{event.net})")
                return [head, *((_HERE["test"], _told("Test", output)) for output in event.outputs)]
            case Snapshot():
                return self._snapshot(event)
            case Done():
                return _done(event)
            case _:
                return []

    def _started(self, event: Started) -> list[tuple[str, str]]:
        origin = [(_HERE["finetune"], f"Finetuning from {recorded(path, self.project)}") for path in self.weights]
        if event.resumed_from is not None:
            origin = [(_HERE["resume"], f"Resuming from {recorded(event.resumed_from, self.project)}")]
        return [
            (_HERE["use"], "Use CPU."),
            *origin,
            (_HERE["start"], "Starting Optimization"),
            (_HERE["solving"], f"Solving {self.net}"),
            (_HERE["policy"], f"Learning Rate Policy: {self.policy}"),
        ]

    def _step(self, event: Step) -> list[tuple[str, str]]:
        self._steps += 1
        self._seconds += event.seconds
        if not event.display:
            return []
        speed = self._steps / self._seconds if self._seconds > 0 else 0.0
        pace = f"({_number(speed)} iter/s, {_number(self._seconds)}s/{self.display} iters)"
        self._steps, self._seconds = 0, 0.0
        return [
            (_HERE["loss"], f"Iteration {event.iteration} {pace}, loss = {_number(event.smoothed_loss)}"),
            *((_HERE["train"], _told("Train", output)) for output in event.outputs),
            (_HERE["rate"], f"Iteration {event.iteration}, lr = {_number(event.rate)}"),
        ]

    def _snapshot(self, event: Snapshot) -> list[tuple[str, str]]:
        ending, kind = (".h5", "HDF5") if event.model.suffix == ".h5" else ("", "binary proto")
        model, state = (recorded(path, self.project) for path in (event.model, event.state))
        return [
            (_HERE[f"model{ending}"], f"Snapshotting to {kind} file {model}"),
            (_HERE[f"state{ending}"], f"Snapshotting solver state to {kind} file {state}"),
        ]


def _done(event: Done) -> list[tuple[str, str]]:
    if event.stopped:
        return [(_HERE["early"], "Optimization stopped early."), (_HERE["exit"], "Optimization Done.")]
    last: list[tuple[str, str]] = []
    if event.display and event.loss is not None:
        last = [(_HERE["last"], f"Iteration {event.iteration}, loss = {_number(event.loss)}")]
    return [*last, (_HERE["done"], "Optimization Done."), (_HERE["exit"], "Optimization Done.")]


def _told(kind: str, output: Output) -> str:
    text = f"    {kind} net output #{output.index}: {output.name} = {_number(output.value)}"
    if output.loss_weight:
        text += f" (* {_number(output.loss_weight)} = {_number(output.loss_weight * output.value)} loss)"
    return text


def _number(value: float) -> str:
    return f"{value:.6g}"


def _line(where: str, message: str, now: datetime) -> str:
    return f"I{now:%m%d %H:%M:%S.%f} {os.getpid():5d} {where}] {message}"

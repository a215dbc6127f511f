"""Record a run while it is in progress: train.log, metrics.jsonl, and the generation's record."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from msgspec import structs

from workflow.engines import caffe_log
from workflow.engines.base import Done, Event, Line, Note, Output, Snapshot, SnapshotFailed, Started, Step, Validation
from workflow.errors import EnvironmentFault
from workflow.generations import Generation, Record, SnapshotRecord
from workflow.storage import sha256
from workflow.training.keeper import Keeper
from workflow.training.outputs import accuracy_of, loss_of, plain

_log = logging.getLogger("workflow")
_EACH_LINE = 1  # is handed to the system at once, for curves that are drawn during training
_FAILURES = 3  # snapshots in a row that may fail before the run stops


class Recorder:
    """Records every event; a snapshot is committed with the record that lists it."""

    def __init__(
        self,
        generation: Generation,
        record: Record,
        *,
        engine: str,
        facts: dict[str, Any],
        log: caffe_log.Writer,
        keeper: Keeper,
    ) -> None:
        """Open the logs.

        Args:
            generation: whose logs and record these are.
            record: as it stands; kept up to date in `record`.
            engine: `torch` or `caffe`; a caffe run brings its own log lines.
            facts: of this run, for the record (precision, threads, solver type).
            log: gives Caffe's log lines for the events of a torch run.
            keeper: knows whether the run ended because no test pass was better.
        """
        self.generation = generation
        self.record = record
        self.engine = engine
        self.facts = facts
        self._log, self._keeper = log, keeper
        self._seconds = 0.0
        self._iterations = 0
        self._failures = 0
        self._last_pass: tuple[int, dict[str, float | None]] = (0, {})  # a snapshot of it may be written after it
        self._known_tests: set[tuple[int, int]] = set()
        self._started = time.monotonic()
        generation.logs.mkdir(exist_ok=True)
        self._train_log = (generation.logs / "train.log").open("a", encoding="utf-8", buffering=_EACH_LINE)
        self._metrics: TextIO | None = None

    def write(self, event: Event) -> None:
        """Record an event.

        Raises:
            EnvironmentFault: T08 the third snapshot in a row failed, T16 the folder vanished.
        """
        for folder in (self.generation.folder, self.generation.snapshots):
            if not folder.is_dir():
                raise EnvironmentFault(
                    f"{folder} disappeared during training", hint="restore it, then wf train resumes", fault="T16"
                )
        self._write_log(event)
        match event:
            case Started():
                self.facts["ended_at"] = self.record.ended_at if event.resumed_from is not None else 0
                self._metrics, self._known_tests = _reopen(self.generation.logs / "metrics.jsonl", event.iteration)
            case Step():
                self._seconds += event.seconds
                self._iterations += 1
                self._measure(kind="step", iteration=event.iteration, loss=event.loss, rate=plain(event.rate))
            case Validation():
                self._validated(event)
            case Snapshot():
                self._failures = 0
                self._commit(event)
            case SnapshotFailed():
                self._failed(event)
            case Done():
                self._finish(event)
            case Line() | Note():
                pass

    def close(self) -> None:
        """Flush the logs."""
        self._train_log.close()
        if self._metrics is not None:
            self._metrics.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- the parts ----

    def _write_log(self, event: Event) -> None:
        if isinstance(event, Line):
            lines = [event.text]
        elif self.engine == "caffe":
            return  # its own lines come as Line events
        else:
            lines = self._log.lines(event)
        self._train_log.writelines(f"{line}\n" for line in lines)

    def _measure(self, **row: Any) -> None:
        if self._metrics is not None:
            self._metrics.write(json.dumps(row) + "\n")

    def _validated(self, event: Validation) -> None:
        split = event.split
        if (event.iteration, event.net) not in self._known_tests:
            numbers = _numbers(event.outputs)
            if event.balanced is not None:
                numbers["balanced_accuracy"] = plain(event.balanced)
            self._measure(kind=split, iteration=event.iteration, net=event.net, **numbers)
        if event.net != 0 or event.iteration == 0:  # the untrained net's score is not a result of the run
            return
        accuracy, loss = accuracy_of(event.outputs), loss_of(event.outputs)
        found = {f"{split}_accuracy": accuracy, f"{split}_loss": loss}
        balanced = None if event.balanced is None else plain(event.balanced)
        self._last_pass = event.iteration, found
        self.facts |= {**found, "balanced_accuracy": balanced, "tested_at": event.iteration}
        scored = [
            structs.replace(one, **found) if one.iteration == event.iteration else one for one in self.record.snapshots
        ]
        if tuple(scored) != self.record.snapshots:
            self._save(snapshots=tuple(scored))

    def _commit(self, event: Snapshot) -> None:
        folder = self.generation.folder
        model, state = (_relative(path, folder) for path in (event.model, event.state))
        new = SnapshotRecord(
            iteration=event.iteration,
            model=model,
            state=state,
            sha256={name: sha256(folder / name) for name in (model, state)},
            engine=self.engine,
            **(self._last_pass[1] if self._last_pass[0] == event.iteration else {}),
        )
        others = [one for one in self.record.snapshots if one.iteration != event.iteration]
        self._save(snapshots=tuple(sorted([*others, new], key=lambda one: one.iteration)))

    def _failed(self, event: SnapshotFailed) -> None:
        self._failures += 1
        if self._failures < _FAILURES:
            _log.warning("cannot write snapshot iter_%d: %s; training continues", event.iteration, event.reason)
            return
        last = max((one.iteration for one in self.record.snapshots), default=None)
        raise EnvironmentFault(
            f"cannot write snapshot iter_{event.iteration}: {event.reason} ({_FAILURES} times in a row)",
            hint=f"iter_{last} is safe; free some space, then wf train resumes"
            if last
            else "free some space and start again",
            fault="T08",
        )

    def _finish(self, event: Done) -> None:
        self.facts["iterations"] = event.iteration
        self.facts["lost_patience"] = self._keeper.lost_patience if self._keeper.ended_it else None
        if not event.stopped:
            self.facts["ended_at"] = event.iteration
        self._save()
        if self._failures and (last := self.facts["iterations"]) > 0:
            raise EnvironmentFault(
                f"the last snapshot, iter_{last}, could not be written: the training since the one before is lost",
                hint=f"free some space, then wf train --gen {self.generation.number} resumes",
                fault="T08",
            )

    def _save(self, **changes: Any) -> None:
        facts = dict(self.facts)
        if self._iterations:
            facts["seconds"] = round(time.monotonic() - self._started, 3)
            facts["seconds_per_iteration"] = round(self._seconds / self._iterations, 6)
        self.record = structs.replace(self.record, training=self.record.training.updated(facts), **changes)
        self.generation.write(self.record)


def _reopen(path: Path, iteration: int) -> tuple[TextIO, set[tuple[int, int]]]:
    """The metrics file without what a run resumed at `iteration` writes again.

    Tests at `iteration` are kept: that of a run's end need not be on the solver's schedule.

    Returns:
        The file, open for appending, and (iteration, net) of the tests at `iteration` that it has.
    """
    kept, tests = [], set()
    if path.is_file() and iteration > 0:
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
                test = row["kind"] != "step" and row["iteration"] == iteration
                if test:
                    tests.add((iteration, int(row["net"])))
                if test or row["iteration"] < iteration:
                    kept.append(line + "\n")
            except (ValueError, KeyError):
                continue  # the last, incomplete line of a killed run
    path.write_text("".join(kept), encoding="utf-8")
    return path.open("a", encoding="utf-8", buffering=_EACH_LINE), tests


def _numbers(outputs: tuple[Output, ...]) -> dict[str, float]:
    """Outputs by name; those with several numbers as name_0, name_1 and so on."""
    names = [output.name for output in outputs]
    rows: dict[str, float] = {}
    for output in outputs:
        several = names.count(output.name) > 1
        place = sum(name == output.name for name in names[: output.index])
        rows[f"{output.name}_{place}" if several else output.name] = plain(output.value)
    return rows


def _relative(path: Path, folder: Path) -> str:
    return path.resolve().relative_to(folder.resolve()).as_posix()

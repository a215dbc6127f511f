"""What is recorded about every generation, read without computing anything: the list on a page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from workflow.config import Config
from workflow.errors import DataError
from workflow.evaluation.metrics import interval
from workflow.generations import Generation, Record, generations
from workflow.generations.folder import Holder
from workflow.generations.places import EVALUATION


@dataclass(frozen=True, kw_only=True)
class Overview:
    """One generation."""

    generation: Generation
    record: Record
    holder: Holder | None
    """The process that works on it now."""
    verdict: str | None
    """Verdict of the newest `wf diff` of its parent and itself, in words; None before the first."""

    @property
    def state(self) -> Literal["prepared", "training", "in use", "trained", "stopped"]:
        """Its current state."""
        if self.holder is not None:
            return "training" if self.holder.command == "wf train" else "in use"
        if not self.record.snapshots:
            return "prepared"
        return "trained" if self.record.best_at_end is not None else "stopped"

    @property
    def pictures(self) -> dict[str, int]:
        """Of `train`, `test`, and `validation` where there are any."""
        return {split: sum(classes.values()) for split, classes in self.record.counts.items()}

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the accuracy of the best snapshot on the own test set; None before the first."""
        accuracy = self.record.best.test_accuracy if self.record.best is not None else None
        count = self.pictures.get("test", 0)
        return None if accuracy is None else interval(round(accuracy * count), count)

    def json(self) -> dict[str, Any]:
        """As the web application's list of generations has it."""
        best, split = self.record.best, self.record.solver_split
        return {
            "number": self.generation.number,
            "name": self.generation.name,
            "parent": self.record.parent,
            "created": self.record.created,
            "classes": list(self.record.classes),
            "state": self.state,
            "holder": None if self.holder is None else self.holder.command,
            "pictures": self.pictures,
            "counts": self.record.counts,
            "accuracy": None if best is None else best.test_accuracy,
            "interval": self.interval,
            "validation_accuracy": None if best is None else best.validation_accuracy,
            "solver_split": split,
            "verdict": self.verdict,
            "trained": _trained(self.generation, self.record),
            "iterations": self.record.training.iterations,
            "snapshots": [
                {
                    "name": f"iter_{one.iteration}",
                    "iteration": one.iteration,
                    "accuracy": one.tested(split)[0],
                    "loss": one.tested(split)[1],
                    "best": best is not None and one.iteration == best.iteration,
                }
                for one in self.record.snapshots
            ],
        }


def overview(config: Config) -> tuple[Overview, ...]:
    """Every generation whose record can be read, oldest first."""
    found = []
    for one in generations(config):
        try:
            record = one.read()
        except DataError:  # other commands report what is wrong with it
            continue
        found.append(Overview(generation=one, record=record, holder=one.holder, verdict=_verdict(one, record)))
    return tuple(found)


def _trained(one: Generation, record: Record) -> str | None:
    """When the newest snapshot was written, ISO 8601, UTC."""
    if record.latest is None:
        return None
    try:
        written = (one.folder / record.latest.model).stat().st_mtime
    except OSError:
        return None
    return datetime.fromtimestamp(written, UTC).isoformat(timespec="seconds")


def _verdict(one: Generation, record: Record) -> str | None:
    if record.parent is None or record.best is None:
        return None
    folder = one.folder / EVALUATION / f"iter_{record.best.iteration}"
    paths = sorted(folder.glob(f"*/diff-gen{record.parent}-*/diff.json"), key=lambda path: path.stat().st_mtime_ns)
    for path in reversed(paths):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        match document:
            case {"verdict": {"words": str(words)}}:
                return words
    return None

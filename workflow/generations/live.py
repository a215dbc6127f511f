"""The live snapshot: the default of all commands.

It is the best snapshot of the newest generation whose training has ended, so that neither `wf prepare` nor a training
that is running changes the default; or the one that generations/live.json pins.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from msgspec import Struct

from workflow.config import Config
from workflow.errors import DataError, UsageError
from workflow.generations.finding import Reference, existing, generation, generations
from workflow.generations.folder import Generation
from workflow.generations.record import Record, SnapshotRecord
from workflow.storage import atomic_write

_PIN = "live.json"
_log = logging.getLogger("workflow")


class Live(Struct, frozen=True, kw_only=True):
    """Which snapshot answers, and why."""

    reference: Reference
    pinned: bool
    ended: bool
    """Whether the training of its generation has ended: false only where no generation's has."""
    newer: tuple[Generation, ...]
    """Generations newer than the one that answers, oldest first."""
    candidate: Reference | None
    """The best snapshot of the newest generation whose training has ended; None where there is none."""

    @property
    def words(self) -> str:
        """One sentence: which answers, why, and what is newer."""
        why = (
            "pinned"
            if self.pinned
            else "the newest with finished training"
            if self.ended
            else "training is not finished"
        )
        text = f"{self.reference.name} is the default snapshot ({why})"
        if not self.newer:
            return text
        names = ", ".join(one.name for one in self.newer)
        trained = self.candidate is not None and self.candidate.generation in self.newer
        return f"{text}; newer: {names}" + ("" if trained else ", training not finished")

    def json(self) -> dict[str, Any]:
        """Keys snapshot, pinned, newer, candidate."""
        return {
            "snapshot": self.reference.name,
            "pinned": self.pinned,
            "newer": [one.name for one in self.newer],
            "candidate": None if self.candidate is None else self.candidate.name,
        }


def live(config: Config) -> Live:
    """The live snapshot of the project.

    Where no training has ended, the best snapshot of the newest generation that has any.

    Raises:
        UsageError: there is no generation, no snapshot, or what is pinned is gone.
    """
    newest = existing(config)
    found = _read(config)
    candidate = next((_reference(one, best) for one, record in found if (best := record.best_at_end)), None)
    begun = next((_reference(one, record.best) for one, record in found if record.best), None)
    pinned = _pinned(config)
    chosen = pinned or candidate or begun
    if chosen is None or chosen.generation is None:
        raise UsageError(f"generation {newest.number} has no snapshot yet", hint=f"wf train --gen {newest.number}")
    number = chosen.generation.number
    return Live(
        reference=chosen,
        pinned=pinned is not None,
        ended=candidate is not None,
        newer=tuple(one for one in generations(config) if one.number > number),
        candidate=candidate,
    )


def answering(config: Config, number: int | None) -> Generation:
    """The generation of that number; None is the one whose snapshot is live.

    Raises:
        UsageError: as `existing` and `live`.
    """
    if number is not None:
        return existing(config, number)
    return live(config).reference.generation or existing(config)


def pin(config: Config, reference: Reference) -> None:
    """Pin this snapshot as the default, regardless of later training.

    Raises:
        UsageError: it belongs to no generation.
    """
    one = reference.generation
    if one is None or reference.iteration is None:
        raise UsageError(f"{reference.name} belongs to no generation: only a generation's snapshot can be live")
    document = {"generation": one.number, "seed": one.seed, "iteration": reference.iteration}
    atomic_write(config.generations / _PIN, (json.dumps(document) + "\n").encode())


def unpin(config: Config) -> None:
    """Let the newest trained generation answer again."""
    (config.generations / _PIN).unlink(missing_ok=True)


def _read(config: Config) -> list[tuple[Generation, Record]]:
    """The records, newest first; unreadable ones are skipped with a warning."""
    found = []
    for one in reversed(generations(config)):
        try:
            found.append((one, one.read()))
        except DataError as error:
            _log.warning("%s is skipped: %s", one.name, error.message)
    return found


def _reference(one: Generation, snapshot: SnapshotRecord) -> Reference:
    return Reference(one.folder / snapshot.model, one, snapshot.iteration)


def _pinned(config: Config) -> Reference | None:
    path = config.generations / _PIN
    hint = "wf live gen4/best pins another; wf live --follow unpins it"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        number, seed, iteration = (document[key] for key in ("generation", "seed", "iteration"))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} does not say which snapshot is pinned", hint=hint) from error
    one = generation(config, number)
    one = one if seed is None else one.rerun(seed)
    name = f"{one.name}/iter_{iteration}"
    try:
        snapshots = one.read().snapshots
    except DataError:
        snapshots = ()
    chosen = next((snapshot for snapshot in snapshots if snapshot.iteration == iteration), None)
    if chosen is None:
        raise UsageError(f"the pinned snapshot {name} is gone", hint=hint, fault="C06")
    return _reference(one, chosen)

"""The one description of a generation's folder: its files, its record, its snapshots, its lock.

    generations/gen5/
      generation.json                  this module's Record
      dataset/    train_lmdb/ test_lmdb/ mean.binaryproto labels.txt images.jsonl
      prototxt/   train_test.prototxt deploy.prototxt solver.prototxt      as run
      snapshots/  NAME_iter_6000.caffemodel  NAME_iter_6000.solverstate
      logs/       train.log metrics.jsonl curves.png
      inspect/

A snapshot counts once it is listed in the record, which is written last: a pair that a killed process left
behind is not.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from workflow.config import Preprocessing, Settings
from workflow.errors import BusyError, DataError, UsageError, did_you_mean
from workflow.storage import atomic_write

_FOLDER = re.compile(r"gen(\d+)")


class SnapshotRecord(Settings):
    """One committed snapshot; paths are relative to the generation's folder."""

    iteration: int
    model: str
    state: str
    sha256: dict[str, str]
    """Of `model` and `state`."""
    engine: str = "torch"
    test_accuracy: float | None = None
    test_loss: float | None = None


class Record(Settings):
    """generation.json: what made this generation, and what came of it."""

    schema_version: str = "wf.generation/1"
    number: int
    parent: int | None = None
    created: str
    """ISO 8601, UTC."""
    classes: tuple[str, ...]
    """In the order of their label numbers."""
    preprocessing: Preprocessing
    counts: dict[str, dict[str, int]]
    """split -> class -> pictures."""
    hashes: dict[str, str]
    """File of dataset/ -> sha256."""
    config: dict[str, Any]
    """The settings as resolved."""
    versions: dict[str, str]
    commands: tuple[tuple[str, ...], ...] = ()
    """Command lines that worked on this generation, in order."""
    training: dict[str, Any] = Field(default_factory=dict)
    """Engine, threads, precision, solver type and hashes of the net that the snapshots belong to."""
    snapshots: tuple[SnapshotRecord, ...] = ()


@dataclass(frozen=True)
class Generation:
    """A generation by its number and its folder; the files need not exist yet."""

    number: int
    folder: Path

    @property
    def name(self) -> str:
        """`gen5`."""
        return f"gen{self.number}"

    @property
    def record_path(self) -> Path:
        """generation.json."""
        return self.folder / "generation.json"

    @property
    def dataset(self) -> Path:
        """The prepared pictures."""
        return self.folder / "dataset"

    def database(self, split: str) -> Path:
        """The LMDB of `train` or `test`."""
        return self.dataset / f"{split}_lmdb"

    @property
    def mean(self) -> Path:
        """The mean picture of the training set."""
        return self.dataset / "mean.binaryproto"

    @property
    def labels(self) -> Path:
        """Class names, one a line, in the order of their numbers."""
        return self.dataset / "labels.txt"

    @property
    def manifest(self) -> Path:
        """images.jsonl: a line a picture (path, sha256, class, split) or a skipped file (path, reason)."""
        return self.dataset / "images.jsonl"

    def prototxt(self, kind: str) -> Path:
        """`train_test`, `deploy` or `solver`, as run."""
        return self.folder / "prototxt" / f"{kind}.prototxt"

    @property
    def snapshots(self) -> Path:
        """Folder of caffemodels and solverstates."""
        return self.folder / "snapshots"

    @property
    def logs(self) -> Path:
        """Folder of train.log, metrics.jsonl and curves.png."""
        return self.folder / "logs"

    def read(self) -> Record:
        """The record.

        Raises:
            DataError: generation.json is missing or is not one of ours.
        """
        try:
            return Record.model_validate(json.loads(self.record_path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise DataError(
                f"generation {self.number} has no {self.record_path}",
                hint=f"wf prepare --gen {self.number} --force",
            ) from None
        except (ValidationError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(f"{self.record_path} is not a generation's record: {reason}") from error

    def write(self, record: Record) -> None:
        """Replace generation.json as a whole."""
        text = json.dumps(record.model_dump(mode="json"), indent=2, ensure_ascii=True) + "\n"
        atomic_write(self.record_path, text.encode())

    @contextmanager
    def held(self, command: str) -> Iterator[None]:
        """Be the only process that works on this generation.

        Raises:
            BusyError: another process does; names its pid, command and start.
        """
        import filelock  # 40 ms that looking at a picture does not need

        path = self.folder.with_name(f".{self.name}.lock")
        holder = path.with_suffix(".holder.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(path)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise BusyError(
                f"generation {self.number} is in use{_describe(holder)}",
                hint="wait until it is done, or stop it",
                fault="T10",
            ) from None
        try:
            facts = {
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "command": command,
                "since": datetime.now(UTC).isoformat(),
            }
            holder.write_text(json.dumps(facts), encoding="utf-8")
            yield
        finally:
            holder.unlink(missing_ok=True)
            lock.release()


def _describe(holder: Path) -> str:
    try:
        facts = json.loads(holder.read_text(encoding="utf-8"))
        since = datetime.fromisoformat(facts["since"]).astimezone()
        return f" by pid {facts['pid']} ({facts['command']}, since {since:%H:%M})"
    except (OSError, ValueError, KeyError):
        return ""


# ---- finding ----


def generations(root: Path) -> list[Generation]:
    """Every generation under `root`, by number; leftovers under temporary names are not generations."""
    if not root.is_dir():
        return []
    found = [(match, path) for path in root.iterdir() if (match := _FOLDER.fullmatch(path.name)) and path.is_dir()]
    return sorted((Generation(int(match[1]), path) for match, path in found), key=lambda one: one.number)


def generation(root: Path, number: int) -> Generation:
    """The generation of that number, whether it exists or not."""
    return Generation(number, root / f"gen{number}")


def existing(root: Path, number: int | None = None) -> Generation:
    """The generation of that number, or the newest.

    Raises:
        UsageError: it does not exist.
    """
    found = generations(root)
    if not found:
        raise UsageError(f"no generation in {root}", hint="wf prepare FOLDER makes the first", fault="L01")
    if number is None:
        return found[-1]
    for one in found:
        if one.number == number:
            return one
    known = ", ".join(str(one.number) for one in found)
    raise UsageError(f"generation {number} not found in {root}; there are: {known}", hint=f"wf prepare --gen {number}")


@dataclass(frozen=True)
class Reference:
    """A snapshot that was asked for: weights on disk, and the generation that explains them, if any."""

    weights: Path
    generation: Generation | None = None
    iteration: int | None = None

    @property
    def name(self) -> str:
        """`gen5/iter_6000`, or the file's path for a model from elsewhere."""
        if self.generation is None or self.iteration is None:
            return str(self.weights)
        return f"{self.generation.name}/iter_{self.iteration}"


def resolve(root: Path, reference: str = "latest", number: int | None = None) -> Reference:
    """Find a snapshot: `iter_6000`, `gen4/iter_6000`, `latest`, `best`, or a path to a model file.

    `best` is the one with the highest test accuracy, the earlier one among equals.

    Raises:
        UsageError: there is no such snapshot; the message lists those that there are.
    """
    path = Path(reference)
    if path.name.endswith((".caffemodel", ".h5")):
        return _from_path(root, path)
    match = re.fullmatch(r"(?:gen(\d+)/)?(latest|best|iter_(\d+))", reference)
    if match is None:
        raise UsageError(
            f"no snapshot '{reference}'",
            hint="write iter_6000, gen4/iter_6000, latest, best, or the path of a .caffemodel",
            fault="C06",
        )
    one = existing(root, int(match[1]) if match[1] else number)
    snapshots = one.read().snapshots
    if not snapshots:
        raise UsageError(f"generation {one.number} has no snapshot yet", hint=f"wf train --gen {one.number}")
    if match[2] == "latest":
        chosen = max(snapshots, key=lambda snapshot: snapshot.iteration)
    elif match[2] == "best":
        chosen = max(snapshots, key=lambda snapshot: (snapshot.test_accuracy or 0.0, -snapshot.iteration))
    else:
        by_name = {f"iter_{snapshot.iteration}": snapshot for snapshot in snapshots}
        if match[2] not in by_name:
            names = sorted(by_name, key=lambda name: by_name[name].iteration)
            raise UsageError(
                f"no snapshot {match[2]} in generation {one.number} ({one.name} has {', '.join(names)})",
                hint=did_you_mean(match[2], names),
                fault="C06",
            )
        chosen = by_name[match[2]]
    return Reference(one.folder / chosen.model, one, chosen.iteration)


def _from_path(root: Path, path: Path) -> Reference:
    if not path.is_file():
        raise UsageError(f"no model file {path}", hint="write iter_6000 for a snapshot of ours", fault="C06")
    for one in generations(root):
        if one.folder.resolve() in path.resolve().parents:
            iteration = re.search(r"_iter_(\d+)\.", path.name)
            return Reference(path, one, int(iteration[1]) if iteration else None)
    return Reference(path)

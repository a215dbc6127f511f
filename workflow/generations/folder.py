"""The folder of a generation: its files, record and lock."""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import ValidationError

from workflow.errors import BusyError, DataError
from workflow.generations.record import Record
from workflow.machine import alive, machine
from workflow.paths import located, recorded
from workflow.storage import atomic_write

if TYPE_CHECKING:
    from filelock import FileLock

_PATIENCE = 0.1  # seconds for which a lock is asked for that a living process says it holds
_LONGEST = 5.0  # seconds where none says so: `_free` has it for some microseconds, on a busy machine for longer
_RERUN = re.compile(r"seed_(\d+)")


@dataclass(frozen=True, kw_only=True)
class Holder:
    """The process that works on a generation."""

    pid: int
    host: str
    """As `machine.machine` names it."""
    command: str
    """Such as `wf train`."""
    since: datetime

    @property
    def host_name(self) -> str:
        """The host without the digits that tell hosts of one name apart."""
        return self.host.rpartition("-")[0] or self.host


@dataclass(frozen=True)
class Generation:
    """A generation by its number and its folder; the files need not exist yet."""

    number: int
    folder: Path
    seed: int | None = None
    """Seed of a rerun: the same pictures and the same nets, trained with another random_seed, in seeds/seed_K/."""
    project: Path = Path()
    """The folder that paths in its files (manifest, prototxt, record) are relative to; `Path()` is the current one."""

    def recorded(self, path: str | Path) -> str:
        """A path as the generation's files hold it, see `workflow.paths`."""
        return recorded(path, self.project)

    def located(self, path: str) -> str:
        """A path out of the generation's files, as it can be opened."""
        return located(path, self.project)

    @property
    def name(self) -> str:
        """`gen5`; `gen5/seed_7` for a rerun."""
        return f"gen{self.number}" + ("" if self.seed is None else f"/seed_{self.seed}")

    @property
    def original(self) -> Generation:
        """The generation itself, for a rerun of it."""
        return self if self.seed is None else replace(self, folder=self.folder.parents[1], seed=None)

    def rerun(self, seed: int) -> Generation:
        """The rerun with that random_seed, whether it exists or not."""
        folder = self.original.folder / "seeds" / f"seed_{seed}"
        return replace(self, folder=folder, seed=seed)

    @property
    def reruns(self) -> list[Generation]:
        """The reruns that were begun, by seed."""
        found = [_RERUN.fullmatch(path.name) for path in (self.original.folder / "seeds").glob("seed_*")]
        reruns = [self.rerun(int(match[1])) for match in found if match]
        return sorted((one for one in reruns if one.record_path.is_file()), key=lambda one: one.seed or 0)

    def fold(self, number: int, place: int) -> Generation:
        """Fold number `place`, from 1, of `number`: the same pictures split in another way, in folds/5/fold_1/."""
        return replace(self, folder=self.folder / "folds" / str(number) / f"fold_{place}")

    @property
    def folds(self) -> list[Generation]:
        """All folds that were begun."""
        found = sorted((self.folder / "folds").glob("*/fold_*"))
        return [one for path in found if (one := replace(self, folder=path)).record_path.is_file()]

    @property
    def record_path(self) -> Path:
        """generation.json."""
        return self.folder / "generation.json"

    @property
    def dataset(self) -> Path:
        """The prepared pictures; a rerun has those of its original."""
        return self.original.folder / "dataset"

    def database(self, split: str) -> Path:
        """The LMDB of `train`, `validation` or `test`."""
        return self.dataset / f"{'val' if split == 'validation' else split}_lmdb"

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

    @property
    def files(self) -> Path:
        """files.npz: what the preparation knew of the files that it read; the next one takes it from there."""
        return self.dataset / "files.npz"

    @property
    def pictures(self) -> Path:
        """pictures.png: some of the prepared pictures, a row for each class."""
        return self.dataset / "pictures.png"

    def prototxt(self, kind: str) -> Path:
        """`train_test`, `deploy` or `solver`, as run."""
        return self.folder / "prototxt" / f"{kind}.prototxt"

    @property
    def balance(self) -> Path:
        """The weights of the classes in the training loss, where the settings ask for them; see `net.balance`."""
        return self.original.folder / "prototxt" / "balance.binaryproto"

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
            DataError: generation.json is missing or not written by wf.
        """
        try:
            return Record.of(json.loads(self.record_path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise DataError(f"generation {self.number} has no {self.record_path}", hint=self._without_record) from None
        except (ValidationError, ValueError) as error:
            reason = str(error).splitlines()[0]
            message = f"{self.record_path} is not a generation's record: {reason}"
            raise DataError(message, hint=self._without_record) from error

    @property
    def _without_record(self) -> str:
        return f"copy it back, or move {self.original.folder} elsewhere"

    @property
    def aside(self) -> Path:
        """The folder for an earlier run of this generation: before-1, or the next free number."""
        return next(path for number in count(1) if not (path := self.folder / f"before-{number}").exists())

    @property
    def trained(self) -> bool:
        """Whether it has snapshots, of its own or of a rerun."""
        folders = (self.snapshots, *(self.folder / "seeds").glob("*/snapshots"))
        return any(path.suffix in (".caffemodel", ".h5") for folder in folders for path in folder.glob("*"))

    def write(self, record: Record) -> None:
        """Replace generation.json as a whole."""
        text = json.dumps(record.json(), indent=2, ensure_ascii=True) + "\n"
        atomic_write(self.record_path, text.encode())

    @property
    def _lock(self) -> Path:
        return self.original.folder.with_name(f".{self.original.name}.lock").absolute()

    @property
    def holder(self) -> Holder | None:
        """The process that works on it now, on whatever machine; None if there is none."""
        found = _read_holder(self._lock.with_suffix(".holder.json"))
        return None if found is None or _free(self._lock) else found

    @contextmanager
    def held(self, command: str) -> Iterator[None]:
        """Hold the lock of this generation and its reruns, against all other processes and threads.

        Raises:
            BusyError: another process or thread does; names its pid, host, command and start.
        """
        import filelock  # 40 ms that looking at a picture does not need

        path = self._lock
        holder = path.with_suffix(".holder.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(path, thread_local=False)  # one thread may begin it and another end it
        try:
            _acquire(lock, holder)
        except TimeoutError:
            raise BusyError(
                f"generation {self.number} is in use{_describe(holder)}",
                hint="wait until it is finished, or stop it",
                fault="T10",
            ) from None
        try:
            facts = {
                "pid": os.getpid(),
                "host": machine(),
                "command": command,
                "since": datetime.now(UTC).isoformat(),
            }
            holder.write_text(json.dumps(facts), encoding="utf-8")
            yield
        finally:
            holder.unlink(missing_ok=True)
            lock.release()


def _acquire(lock: FileLock, holder: Path) -> None:
    """Take a lock.

    Raises:
        TimeoutError: another process holds it.
    """
    end = time.monotonic() + _LONGEST
    while True:
        try:
            lock.acquire(timeout=_PATIENCE, poll_interval=_PATIENCE / 5)
        except TimeoutError:
            found = _read_holder(holder)
            said = found is not None and (found.host != machine() or alive(found.pid))
            if said or time.monotonic() > end:
                raise
        else:
            return


def _describe(holder: Path) -> str:
    found = _read_holder(holder)
    if found is None:
        return ""
    return f" by pid {found.pid} on {found.host_name} ({found.command}, since {found.since.astimezone():%H:%M})"


def _free(lock: Path) -> bool:
    """Whether nobody holds a lock. A process that tries to take it at this moment has to try again."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # held, or a file system that cannot say it
        return False
    finally:
        os.close(descriptor)
    return True


def _read_holder(path: Path) -> Holder | None:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        since = datetime.fromisoformat(facts["since"])
        return Holder(pid=int(facts["pid"]), host=str(facts["host"]), command=str(facts["command"]), since=since)
    except (OSError, ValueError, KeyError, TypeError):
        return None

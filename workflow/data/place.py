"""Choose the number and the folder of a new generation, and check that a database can be written there."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workflow.config import Config
from workflow.errors import EnvironmentFault, UsageError
from workflow.formats.file_system import network_file_system
from workflow.generations import Generation, generation, generations
from workflow.words import counted

_ELSEWHERE = "set `generations:` in the settings to a folder on another disk"


def choose(config: Config, number: int | None, *, force: bool) -> Generation:
    """The generation to make: that of the number, or the newest plus one.

    Raises:
        UsageError: P35, or the number is below 1.
    """
    if number is None:
        found = generations(config)
        number = found[-1].number + 1 if found else 1
    if number < 1:
        raise UsageError(f"generation {number}: generations are numbered from 1")
    target = generation(config, number)
    check_free(config, target, force=force)
    return target


def check_free(config: Config, target: Generation, *, force: bool) -> None:
    """Refuse to replace what exists, unless `force` is given.

    Raises:
        UsageError: P35.
    """
    if force or not target.folder.exists():
        return
    newest = generations(config)[-1].number
    keeping = f" and keep this one in {target.aside}" if target.trained else ""
    raise UsageError(
        f"generation {target.number} exists{_facts(target)}",
        hint=f"--gen {newest + 1}, or --force to replace it{keeping}",
        fault="P35",
    )


def replaced(target: Generation) -> list[str]:
    """What `force` will do to a generation that exists."""
    if not target.folder.exists():
        return []
    kept = f"kept in {target.aside}, with its snapshots" if target.trained else "removed; it was not trained"
    return [f"--force: generation {target.number}{_facts(target)} is replaced; the old one is {kept}"]


def _facts(target: Generation) -> str:
    if not target.record_path.exists():
        return ""
    record = target.read()
    images = sum(sum(counts.values()) for counts in record.counts.values())
    snapshots = f", {counted(len(record.snapshots), 'snapshot')}" if record.snapshots else ""
    return f" ({record.created[:10]}, {counted(images, 'image')}{snapshots})"


def check_file_system(root: Path, *, allowed: bool) -> None:
    """LMDB maps its file into memory, which networks do not keep consistent.

    Raises:
        EnvironmentFault: L09.
    """
    kind = network_file_system(root)
    if kind is not None and not allowed:
        raise EnvironmentFault(
            f"{root} is on a network file system ({kind}); LMDB is unsafe there",
            hint="set `generations:` in the settings to a local folder, or --allow-network-fs",
            fault="L09",
        )


def check_disk(root: Path, needed: int) -> None:
    """Whether a number of bytes fits.

    Raises:
        EnvironmentFault: P32.
    """
    free = shutil.disk_usage(root).free
    if needed > free:
        raise EnvironmentFault(
            f"needs about {_giga(needed)}, {_giga(free)} free in {root}",
            hint=f"free some space, or {_ELSEWHERE}",
            fault="P32",
        )


@contextmanager
def explained(target: Generation) -> Iterator[None]:
    """Explain what the operating system refused, and that nothing was lost."""
    try:
        yield
    except EnvironmentFault as error:
        if error.fault != "P33":
            raise
        raise _disk_full(target) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _disk_full(target) from error
        reason = (error.strerror or str(error)).lower()
        place = error.filename or target.folder
        raise EnvironmentFault(
            f"cannot prepare generation {target.number}: {place}: {reason} (nothing was changed)", fault="T09"
        ) from error


def _disk_full(target: Generation) -> EnvironmentFault:
    return EnvironmentFault(
        f"disk full while writing {target.name} (nothing was changed)",
        hint=f"free some space, or {_ELSEWHERE}",
        fault="P33",
    )


def _giga(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.1f} MB"

"""Write a generation's folder under a temporary name and rename it when it is complete."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from workflow.errors import BusyError
from workflow.generations import Generation
from workflow.storage import final_name, leftovers, sync_folder, temporary_name

_OURS = re.compile(r"gen(\d+)(\.replaced)?")
_REPLACED = ".replaced"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h


def sweep(target: Generation) -> list[Path]:
    """Remove leftovers of killed preparations beside `target`, which the caller holds; other files are kept.

    Those of another generation are looked at only while nobody holds that one: they may be another machine's work.
    A generation that was moved aside to be replaced, and whose successor never came, gets its name back; where the
    successor came, it is kept inside it if it was trained. Returns what was removed.
    """
    root = target.folder.parent
    found: dict[int, list[tuple[Path, bool]]] = {}
    for path in leftovers(root, alone=True):
        if path.is_dir() and (match := _OURS.fullmatch(final_name(path) or "")):
            found.setdefault(int(match[1]), []).append((path, bool(match[2])))
    swept = []
    for number, paths in found.items():
        one = Generation(number, root / f"gen{number}")
        with suppress(BusyError), nullcontext() if number == target.number else one.held("wf prepare"):
            swept += [path for path, aside in paths if path.is_dir() and _swept(path, one, aside=aside)]
    return sorted(swept)


def _swept(path: Path, one: Generation, *, aside: bool) -> bool:
    """Take a leftover away, unless it is what the generation was before."""
    if aside and not one.folder.exists():
        path.rename(one.folder)
        return False
    return _replaced(path, one) is None


@contextmanager
def staged(generation: Generation) -> Iterator[Generation]:
    """Yield the generation under a temporary folder; when the block ends well, put it in its place.

    What was there is replaced in one step. If it was trained it is then kept in before-N of the new one, else deleted.
    If the block fails, nothing was changed.

    Raises:
        OSError: as the operating system says it.
    """
    temporary = temporary_name(generation.folder)
    if temporary.exists():  # of a killed process that had our process id
        shutil.rmtree(temporary)
    temporary.mkdir(parents=True)
    try:
        yield replace(generation, folder=temporary)
        sync_folder(temporary)
        _publish(temporary, generation.folder)
        sync_folder(generation.folder.parent)
        if temporary.exists():
            _replaced(temporary, generation)
    finally:
        if not Generation(generation.number, temporary).trained:
            shutil.rmtree(temporary, ignore_errors=True)


def _replaced(old: Path, new: Generation) -> Path | None:
    """Keep what a generation was before in its before-N, and what it had kept already; None if it had no training."""
    kept = sorted(old.glob("before-*"), key=lambda path: (len(path.name), path.name)) if new.folder.exists() else []
    for path in kept:
        path.rename(new.aside)
    if not (Generation(new.number, old).trained and new.folder.exists()):
        shutil.rmtree(old)
        return None
    old.rename(aside := new.aside)
    return aside


def _publish(new: Path, place: Path) -> None:
    """Rename `new` to `place`; afterwards, `new` is what was in that place before, if anything was."""
    if not place.exists():
        new.rename(place)
    elif not _exchange(new, place):
        # In between the generation cannot be found; if we are killed there, sweep() restores the old one.
        aside = temporary_name(place.with_name(place.name + _REPLACED))
        place.rename(aside)
        new.rename(place)
        aside.rename(new)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names atomically; False where the system or the file system cannot."""
    if sys.platform != "linux":
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    paths = os.fsencode(one), os.fsencode(other)
    return bool(rename(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0)

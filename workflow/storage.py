"""Atomic writes: a reader sees the old file or the new one, never a mixture."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from workflow.machine import alive, machine
from workflow.paths import recorded_document

TEMPORARY = ".tmp-"  # NAME.tmp-HOST-MARK-PID or NAME.tmp-HOST-MARK-PID-THREAD: what a killed process leaves
_NAME = re.compile(rf"(?P<final>.+){re.escape(TEMPORARY)}(?:(?P<machine>[^-]+-[0-9a-f]{{8}})-)?(?P<pid>\d+)(?:-\d+)?")
_DAY = 24 * 60 * 60  # seconds


def temporary_name(path: Path) -> Path:
    """The name beside `path` (same file system, so that rename works) that this thread writes under."""
    thread = "" if threading.current_thread() is threading.main_thread() else f"-{threading.get_ident()}"
    return path.with_name(f"{path.name}{TEMPORARY}{machine()}-{os.getpid()}{thread}")


def final_name(path: Path) -> str | None:
    """The name that a temporary file or folder was to have; None for one that is not temporary."""
    match = _NAME.fullmatch(path.name)
    return match and match["final"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name; on success make what was written there durable and rename it to `path`.

    On any exception the temporary file is removed and `path` keeps its old content.

    Raises:
        OSError: as the operating system says it (ENOSPC, EACCES, EROFS, EIO).
    """
    path = Path(path)
    temporary = temporary_name(path)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def atomic_write(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, durably; old content stays whole until the new one is."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def create(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Make a new file, whole and durable from the first moment that its name is there.

    Of several processes that create the same name, one succeeds.

    Args:
        path: the file.
        data: its bytes.
        mode: its permissions, less the umask.

    Raises:
        FileExistsError: the name is taken.
        OSError: as the operating system says it.
    """
    temporary = temporary_name(path)
    try:
        with open(temporary, "wb", opener=partial(os.open, mode=mode)) as file:  # for its opener
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links: reserve the name, then fill it
            path.touch(mode=mode, exist_ok=False)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_document(path: Path, document: Mapping[str, Any], *, project: Path = Path()) -> None:
    """Replace `path` by a JSON document, paths in it relative to the project folder; its folder is made.

    Raises:
        OSError: as the operating system says it.
        ValueError: a number in it is no number (JSON knows no NaN).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(recorded_document(document, project), indent=2, allow_nan=False)
    atomic_write(path, f"{text}\n".encode())


def write_table(
    path: Path,
    columns: Iterable[str],
    rows: Iterable[Iterable[object]],
    *,
    errors: str = "surrogateescape",
    project: Path = Path(),
) -> None:
    """Replace `path` by a table (CSV, UTF-8, CRLF as RFC 4180 has it); its folder is made.

    Args:
        path: the file.
        columns: the first row.
        rows: the others.
        errors: what becomes of the bytes of a file name that are not UTF-8, as `str.encode` takes it: as they are, or
            `backslashreplace` for a table that other programs read.
        project: the project folder, which paths in the table are then relative to.

    Raises:
        OSError: as the operating system says it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", errors=errors, newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows(rows if project == Path() else (recorded_document(row, project) for row in rows))


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, 64 hexadecimal digits.

    Raises:
        OSError: as the operating system says it.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut (fsync of the directory)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def leftovers(folder: Path, *, alone: bool = False) -> list[Path]:
    """Temporary files and folders in `folder` whose process is gone.

    Whether a process lives can be seen on its own machine only. What another machine began counts once it has not been
    touched for a day; at once where the caller is `alone`, since it holds the lock without which nobody writes there.
    """
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if _left(path, alone)]


def _left(path: Path, alone: bool) -> bool:
    match = _NAME.fullmatch(path.name)
    if match is None:
        return False
    if match["machine"] == machine():
        return not alive(int(match["pid"]))
    try:
        return alone or time.time() - path.lstat().st_mtime > _DAY
    except FileNotFoundError:
        return False


def take_away(path: Path) -> None:
    """Delete a file, or a folder with all that is in it.

    Raises:
        OSError: as the operating system says it.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()

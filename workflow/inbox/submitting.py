"""Keep a picture that was sent: its bytes first, then its row.

The two steps are apart, so that bytes can be written while the picture is decoded. In between, and where the second
step never comes, the file has no row: `discard` removes it, or a sweep does.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workflow.inbox import files, pictures
from workflow.inbox.pictures import Facts, Known, Submission
from workflow.inbox.sweeping import remove_orphan
from workflow.paths import located, recorded

if TYPE_CHECKING:
    from workflow.inbox.inbox import Inbox


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The bytes of a picture, which are on the disk."""

    data: bytes = field(repr=False)
    sha256: str
    format: str
    path: Path | None
    """In inbox/files; None where a generation's own file holds the bytes, which are not kept twice."""


class Entered(NamedTuple):
    """What was known of a picture before it was sent."""

    new: bool
    """Whether nothing was: it is a new picture."""
    known: Known | None
    """Its class and path in the newest generation that holds it."""


def keep(inbox: Inbox, data: bytes, format: str) -> Kept:  # the term of the manifest and the API
    """Write the bytes of a picture, durably, unless a generation's own file holds them.

    Raises:
        OSError: as the operating system says it.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    elsewhere = inbox.known(sha256)
    there = elsewhere is not None and _has(Path(located(elsewhere.path, inbox.config.project)), len(data))
    path = None if there else files.store(inbox.folder, data, sha256, format)
    return Kept(data=data, sha256=sha256, format=format, path=path)


def enter(c: sqlite3.Connection, inbox: Inbox, kept: Kept, submission: Submission) -> Entered:
    """Enter who sent a picture whose bytes are kept."""
    if kept.path is not None and not kept.path.is_file():  # swept, discarded or forgotten in between
        files.store(inbox.folder, kept.data, kept.sha256, kept.format)
    facts = Facts(
        sha256=kept.sha256,
        bytes=len(kept.data),
        format=kept.format,
        width=submission.width,
        height=submission.height,
    )
    path = None if kept.path is None else recorded(kept.path, inbox.config.project)
    new = pictures.submit(c, facts, submission, path=path)
    return Entered(new, pictures.known(c, kept.sha256))


def discard(inbox: Inbox, kept: Kept) -> None:
    """Remove bytes that are not to be entered, unless somebody else has entered the same ones.

    Raises:
        BusyError, EnvironmentFault: they stay until a sweep.
    """
    path = kept.path
    if path is not None:
        inbox.write(lambda c: remove_orphan(c, path))


def _has(path: Path, size: int) -> bool:
    """Whether a file of that length is there."""
    try:
        return path.stat().st_size == size
    except OSError:
        return False

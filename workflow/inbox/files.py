"""Bytes as they were sent, and the hard links by which a preparation reads them.

    inbox/files/9f/9f86….jpg            0600; never served
    inbox/labelled/CLASS/9f86….jpg      a hard link, made by a take-over

A file is complete and durable before its row is written; files without a row are swept.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from workflow.data.sniff import SUFFIXES
from workflow.storage import create, leftovers, sync_folder, take_away, temporary_name

NAME = re.compile(r"([0-9a-f]{64})(\.[a-z]+)")
_OWN = 0o600
_FOLDER = 0o700


def suffix(kind: str) -> str:
    """The usual ending of a format's files, such as `.jpg`.

    Args:
        kind: a format as `data.sniff` names it.
    """
    return SUFFIXES[kind][0]


def place(inbox: Path, sha256: str, kind: str) -> Path:
    """Where the bytes of a picture are kept."""
    return inbox / "files" / sha256[:2] / f"{sha256}{suffix(kind)}"


def store(inbox: Path, data: bytes, sha256: str, kind: str) -> Path:
    """Keep bytes, durably, under the name that their digest gives them; what is there already stays.

    Raises:
        OSError: as the operating system says it.
    """
    path = place(inbox, sha256, kind)
    make_folder(path.parent)
    if _holds(path, data):
        return path
    try:
        create(path, data, mode=_OWN)
    except FileExistsError:  # another process was first, or what is there is damaged
        if not _holds(path, data):
            path.unlink(missing_ok=True)
            create(path, data, mode=_OWN)
    return path


def link(source: Path, inbox: Path, class_name: str, name: str) -> Path:
    """Make inbox/labelled/CLASS/NAME another name of `source`, durably; a copy where hard links do not reach.

    Raises:
        OSError: as the operating system says it.
    """
    path = inbox / "labelled" / class_name / name
    make_folder(path.parent)
    try:
        path.hardlink_to(source)
    except FileExistsError:
        return path
    except OSError:  # another file system, or one without hard links
        temporary = temporary_name(path)
        try:
            shutil.copyfile(source, temporary)
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
    return path


def move_link(inbox: Path, before: str, after: str, name: str) -> Path:
    """Move a link from one class to another in one step, so that it is never in both and never in none.

    Raises:
        OSError: as the operating system says it.
    """
    source, path = (inbox / "labelled" / one / name for one in (before, after))
    make_folder(path.parent)
    source.replace(path)
    source.unlink(missing_ok=True)  # rename(2) leaves both where they are names of the same file
    sync_folder(path.parent)
    sync_folder(source.parent)
    drop_if_empty(source.parent)
    return path


def unlink(inbox: Path, class_name: str, name: str) -> bool:
    """Remove a link, and its class's folder if nothing else is in it; whether there was one."""
    path = inbox / "labelled" / class_name / name
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    sync_folder(path.parent)
    drop_if_empty(path.parent)
    return True


def drop_if_empty(folder: Path) -> None:
    """Remove a folder with nothing in it."""
    with suppress(OSError):
        folder.rmdir()


def links(inbox: Path) -> Iterator[Path]:
    """Every file in labelled/CLASS/ that is named as a take-over names it."""
    return _named(inbox / "labelled")


def kept(inbox: Path) -> Iterator[Path]:
    """Every file in files/."""
    return _named(inbox / "files")


def _named(root: Path) -> Iterator[Path]:
    """The files named after a digest in the subfolders of a folder."""
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if folder.is_dir() and not folder.is_symlink():
            with os.scandir(folder) as entries:
                names = [entry.name for entry in entries if NAME.fullmatch(entry.name)]
            yield from (folder / name for name in names)


def remove_leftovers(inbox: Path) -> int:
    """Remove the temporary files of processes that are gone; how many there were."""
    folders = [
        *(path for name in ("files", "thumbs", "labelled") for path in (inbox / name).glob("*/")),
        inbox / "thumbs",
    ]
    found = [path for folder in folders for path in leftovers(folder)]
    for path in found:
        with suppress(FileNotFoundError):
            take_away(path)
    return len(found)


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter, durably."""
    if folder.is_dir():
        return
    if not folder.parent.is_dir():
        make_folder(folder.parent)
    folder.mkdir(mode=_FOLDER, exist_ok=True)
    sync_folder(folder.parent)


def _holds(path: Path, data: bytes) -> bool:
    """Whether a file has exactly these bytes; a file of the right length is read."""
    try:
        if path.stat().st_size != len(data):
            return False
        return hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(data).digest()
    except FileNotFoundError:
        return False

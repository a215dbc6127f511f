"""Folders of links to pictures: mistakes by cell of the confusion matrix, predictions by class.

mistakes/cat-as-dog/0007-0.9812-1234.jpg      the seventh of all mistakes: names sort by falling confidence
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from workflow.data.sources import reading
from workflow.errors import UsageError
from workflow.evaluation.mistakes import Cell, Mistake, Mistakes
from workflow.storage import temporary_name

_MARK = ".made-by-wf"
Entry = tuple[str | Path, str, float]
"""A picture's path, the sub-folder that it belongs to, and a probability for its name."""

_LONGEST = 200  # bytes of the picture's own name; file systems allow 255


def write_links(folder: Path, found: Mistakes) -> Mistakes:
    """Replace `folder` as a whole by links to the mistakes, a sub-folder for each cell.

    Args:
        folder: what an earlier call made, or nothing.
        found: all mistakes.

    Returns:
        The mistakes with their links; a picture that is not there any more has none.

    Raises:
        UsageError, OSError: as `write_sorted`.
    """
    links = write_sorted(folder, _entries(found))
    return replace(found, mistakes=tuple(map(_linked, found.mistakes, links)))


def read_links(folder: Path, found: Mistakes) -> Mistakes:
    """The mistakes with the links that `write_links` made of them in that folder."""
    digits = len(str(len(found.mistakes)))
    names = [
        folder / entry[1] / _name(f"{rank:0{digits}}", entry) for rank, entry in enumerate(_entries(found), start=1)
    ]
    links = [str(name) if name.is_symlink() or name.exists() else None for name in names]
    return replace(found, mistakes=tuple(map(_linked, found.mistakes, links)))


def _entries(found: Mistakes) -> list[Entry]:
    return [(one.path, cell_name((one.true, one.predicted)), one.probability) for one in found.mistakes]


def _linked(one: Mistake, link: str | None) -> Mistake:
    return replace(one, link=link)


def write_sorted(folder: Path, entries: Sequence[Entry], *, copy: bool = False) -> list[str | None]:
    """Replace `folder` as a whole by links, by copies where links cannot be made; names begin with the entry's number.

    Args:
        folder: what an earlier call made, or nothing.
        entries: in their order.
        copy: copies in any case.

    Returns:
        The link of each entry; None for a picture that is not there any more.

    Raises:
        UsageError: `folder` exists and was not made here.
        OSError: as the operating system says it.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise UsageError(
            f"{folder} was not made by wf, so it is not replaced", hint="move it away, or name another folder"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary, old = temporary_name(folder), temporary_name(folder.with_name(f"{folder.name}.old"))
    try:
        temporary.mkdir()
        (temporary / _MARK).touch()
        digits = len(str(len(entries)))
        linked = [
            _link(temporary, folder, f"{rank:0{digits}}", one, copy=copy) for rank, one in enumerate(entries, start=1)
        ]
        if folder.exists():
            folder.rename(old)
        temporary.rename(folder)
    finally:
        for leftover in (temporary, old):
            shutil.rmtree(leftover, ignore_errors=True)
    return linked


def cell_name(cell: Cell) -> str:
    """`cat-as-dog`: a valid file name for any names of classes."""
    return "-as-".join(map(class_folder, cell))


def class_folder(name: str) -> str:
    """A class's name as a valid name of a folder."""
    return re.sub(r"[/\\\0]", "_", name)[:50].lstrip(".") or "_"


def _link(temporary: Path, folder: Path, rank: str, entry: Entry, *, copy: bool) -> str | None:
    path, inside, _ = entry
    source = Path(os.path.abspath(path))  # noqa: PTH100  # links in the path are the user's to keep
    if not reading.exists(path):
        return None
    (temporary / inside).mkdir(exist_ok=True)
    name = _name(rank, entry)
    link = temporary / inside / name
    if copy or not source.is_file():  # no link leads into a tar
        link.write_bytes(reading.whole(path))
        return str(folder / inside / name)
    target: str | Path = source
    if not Path(path).is_absolute():  # the project may be moved as a whole
        target = os.path.relpath(source, folder.parent.resolve() / folder.name / inside)
    try:
        link.symlink_to(target)
    except OSError:  # a file system, or an operating system, without links
        shutil.copyfile(source, link)
    return str(folder / inside / name)


def _name(rank: str, entry: Entry) -> str:
    """`017-0.9981-cat.png`."""
    path, _, probability = entry
    return f"{rank}-{probability:.4f}-{_ending(Path(path).name)}"


def _ending(name: str) -> str:
    """As much of the end of a file's name as fits."""
    while len(os.fsencode(name)) > _LONGEST:
        name = name[1:]
    return name

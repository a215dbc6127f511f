"""A folder of links to the wrong pictures, a sub-folder for each cell of the confusion matrix.

mistakes/cat-as-dog/0007-0.9812-1234.jpg      the seventh of all mistakes: names sort by falling confidence
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

from workflow.errors import UsageError
from workflow.evaluation.mistakes import Cell, Mistake, Mistakes
from workflow.storage import temporary_name

_MARK = ".made-by-wf"
_LONGEST = 200  # bytes of the picture's own name; file systems allow 255


def write_links(folder: Path, found: Mistakes) -> Mistakes:
    """Replace `folder` as a whole by links, by copies where links cannot be made.

    Args:
        folder: what an earlier call made, or nothing.
        found: all mistakes.

    Returns:
        The mistakes with their links; a picture that is not there any more has none.

    Raises:
        UsageError: `folder` exists and was not made here.
        OSError: as the operating system says it.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise UsageError(
            f"{folder} was not made by wf, so that it is not replaced", hint="move it away, or name --out DIR"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary, old = temporary_name(folder), temporary_name(folder.with_name(f"{folder.name}.old"))
    try:
        temporary.mkdir()
        (temporary / _MARK).touch()
        digits = len(str(len(found.mistakes)))
        linked = tuple(
            replace(one, link=_link(temporary, folder, f"{rank:0{digits}}", one))
            for rank, one in enumerate(found.mistakes, start=1)
        )
        if folder.exists():
            folder.rename(old)
        temporary.rename(folder)
    finally:
        for leftover in (temporary, old):
            shutil.rmtree(leftover, ignore_errors=True)
    return replace(found, mistakes=linked)


def cell_name(cell: Cell) -> str:
    """`cat-as-dog`: a file name, also for classes whose names are none."""
    true, predicted = (re.sub(r"[/\\\0]", "_", name)[:50].lstrip(".") or "_" for name in cell)
    return f"{true}-as-{predicted}"


def _link(temporary: Path, folder: Path, rank: str, one: Mistake) -> str | None:
    source = Path(os.path.abspath(one.path))  # noqa: PTH100  # links in the path are the user's to keep
    if not source.is_file():
        return None
    cell = cell_name((one.true, one.predicted))
    (temporary / cell).mkdir(exist_ok=True)
    name = f"{rank}-{one.probability:.4f}-{_ending(source.name)}"
    target: str | Path = source
    if not Path(one.path).is_absolute():  # the project may be moved as a whole
        target = os.path.relpath(source, folder.parent.resolve() / folder.name / cell)
    link = temporary / cell / name
    try:
        link.symlink_to(target)
    except OSError:  # a file system, or an operating system, without links
        shutil.copyfile(source, link)
    return str(folder / cell / name)


def _ending(name: str) -> str:
    """As much of the end of a file's name as fits."""
    while len(os.fsencode(name)) > _LONGEST:
        name = name[1:]
    return name

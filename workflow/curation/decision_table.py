"""CSV tables with a column `decision` that the user fills in.

Semicolons or tabs between the columns, a byte order mark and Windows' line ends are taken as spreadsheets leave them.
"""

from __future__ import annotations

import csv
import glob
import io
from collections.abc import Sequence
from pathlib import Path

from workflow.errors import DataError, Location, UsageError
from workflow.formats.text import decode
from workflow.storage import atomic_write, sha256
from workflow.words import counted

ACCEPT, REFUSE, REMOVE = "accept", "refuse", "remove"
"""The suggested class; the label is right, or the picture is not to be labelled; the picture is left out."""


def read(path: Path, needed: Sequence[str], columns: Sequence[str], *, root: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows with the numbers of their lines.

    Args:
        path: the table.
        needed: columns that it must have.
        columns: those that it was written with, for the message.
        root: where the generations are, below which tables are written: the hint names the newest of this name.

    Raises:
        UsageError: it cannot be read.
        DataError: it is no table, or lacks a column; the message names the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        written = sorted(root.glob(f"gen*/**/{glob.escape(path.name)}"), key=lambda one: one.stat().st_mtime)
        hint = f"did you mean {written[-1]}?" if written else "wf suspects and wf next write tables"
        raise UsageError(f"cannot read {path}: {error.strerror or error}", hint=hint) from error
    text = decode(data, path, error=DataError)
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        found = [name.strip() for name in next(table, [])]
        for name in needed:
            if name not in found:
                at = Location(path=path, line=1)
                raise DataError(f"line 1: no column '{name}', expected {','.join(columns)}", at=at)
        for fields in table:
            if not any(field.strip() for field in fields):
                continue
            if len(fields) != len(found):
                at = Location(path=path, line=table.line_num)
                raise DataError(f"line {at.line}: {len(fields)} fields, expected {len(found)}", at=at)
            rows.append((table.line_num, dict(zip(found, fields, strict=True))))
    except csv.Error as error:
        at = Location(path=path, line=table.line_num)
        raise DataError(f"line {at.line}: not a row of a table: {error}", at=at) from error
    return rows


def mark_applied(path: Path) -> None:
    """Note that all decisions of the table, as it is now, have been applied.

    Raises:
        OSError: as the operating system says it.
    """
    atomic_write(_mark(path), sha256(path).encode())


def check_free(path: Path) -> None:
    """Check that writing a new table destroys no decision that was not applied.

    Raises:
        UsageError: the table at `path` holds such decisions, or cannot be read.
    """
    if not path.exists() or (_mark(path).is_file() and _mark(path).read_text() == sha256(path)):
        return
    try:
        rows = read(path, ("path",), ("path", "decision"), root=path.parent)
    except DataError as error:
        raise UsageError(f"{path} exists and is not a table of wf: {error.message}", hint="use --out DIR") from error
    filled = sum(bool(row.get("decision", "").strip()) for _, row in rows)
    if filled:
        raise UsageError(
            f"{path} holds {counted(filled, 'decision')} that have not been applied",
            hint=f"wf next --apply {path}, or use --out DIR",
        )


def _mark(path: Path) -> Path:
    """The file beside a table with the digest of its last applied version."""
    return path.with_name(f".{path.name}.applied")

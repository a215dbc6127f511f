"""labels.txt: the name of class k on line k, counted from 0."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workflow.errors import Location, ModelError
from workflow.formats.files import read_whole
from workflow.formats.text import decode
from workflow.storage import atomic_write

_MAX_BYTES = 2**24


def read(path: Path) -> tuple[str, ...]:
    """The class names, in the order of their numbers.

    Raises:
        ModelError: missing, empty, in another encoding, an empty line between names, or a name twice.
    """
    path = Path(path)
    data = read_whole(path, error=ModelError, limit=_MAX_BYTES, hint="one class name per line")
    text = decode(data, path, error=ModelError)
    names = tuple(name.strip() for name in text.rstrip().split("\n")) if text.strip() else ()
    if not names:
        raise ModelError(f"{path} is empty", hint="one class name per line")
    seen: dict[str, int] = {}
    for line, name in enumerate(names, start=1):
        at = Location(path=path, line=line)
        if not name or not _fits_a_line(name):
            raise ModelError(f"{name!r} is not a class name" if name else "a line without a class name", at=at)
        if name in seen:
            raise ModelError(f"class '{name}' twice, first on line {seen[name]}", at=at)
        seen[name] = line
    return names


def write(path: Path, names: Sequence[str]) -> None:
    """Replace `path` by the names, one a line.

    Raises:
        ModelError: no names, an empty or repeated one, or one that a line cannot hold.
        OSError: as the operating system says it.
    """
    for name in names:
        if not name or name != name.strip() or not _fits_a_line(name):
            raise ModelError(f"{name!r} cannot be a class name: it must fit on one line of {path}")
    if not names or len(set(names)) < len(names):
        raise ModelError(f"{path} needs class names, each once; got {len(names)}")
    atomic_write(Path(path), "".join(f"{name}\n" for name in names).encode())


def _fits_a_line(name: str) -> bool:
    """No control characters, and no half of a character (which a folder's name that is not UTF-8 becomes)."""
    return not any((char < " " and char != "\t") or char == "\x7f" or "\ud800" <= char <= "\udfff" for char in name)

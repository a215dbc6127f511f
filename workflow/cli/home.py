"""Find the project that a command works in: named by an option, or above the current folder as in git.

A command runs in its project's folder: all paths that it prints and records are relative to it. Only this changes the
current folder. Paths on the command line are relative to the folder that the user is in
(to DIR after `-C DIR`), so it is rewritten for the project's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workflow.errors import UsageError


@contextmanager
def entered(named: Path | None, config: Path | None, *, search: bool = True) -> Iterator[Path]:
    """Be in the project's folder; yields the folder that names on the command line are relative to.

    Args:
        named: of `-C`; the command then acts as if it was started there.
        config: of `--config`: a file of another project means that project.
        search: whether to look for a project; else the folder is taken as it is.

    Raises:
        UsageError: the folder does not exist.
    """
    before = Path.cwd()
    base = before if named is None else _folder(named, "-C")
    try:
        os.chdir(_home(base, config) if search else base)
        yield base
    finally:
        os.chdir(before)


def relocated(given: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Arguments with paths that are relative to `base` made relative to the current folder.

    Text is a path where a file of that name exists: `--snapshot` and `--mean` take names, numbers and files.
    """
    if base == Path.cwd():
        return dict(given)
    return {name: _relocate(value, base) for name, value in given.items()}


def _home(base: Path, config: Path | None) -> Path:
    from workflow.project import VARIABLE, find

    if (variable := os.environ.get(VARIABLE)) and not (config and config.is_absolute()):
        return _folder(Path(variable), VARIABLE)
    start = base if config is None else (base / config).parent
    return find(start) or base


def _folder(path: Path, option: str) -> Path:
    if not path.is_dir():
        raise UsageError(f"{option} {path}: no such folder", hint="name the folder of a project; wf init makes one")
    return path.resolve()


def _relocate(value: Any, base: Path) -> Any:
    if isinstance(value, Path):
        return value if value.is_absolute() else Path(os.path.relpath(base / value))
    if isinstance(value, str):
        return os.path.relpath(base / value) if value and (base / value).is_file() else value
    if isinstance(value, (list, tuple)):
        return type(value)(_relocate(one, base) for one in value)
    return value

"""Paths in the files of a project: relative to the project folder where they are below it.

So a project can be moved, and its files hold the same bytes from wherever they were written. A project folder of
`Path()` is the current folder: paths are then written and opened as they are.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://")


PROTOCOLS = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "memory", "local")
"""Of the addresses that are read; the last two are fsspec's own, for tests."""

PathOrAddress = Path | str
"""Where something is: a path, or the address of an object or prefix in a store, `s3://bucket/pile`, which is text."""


def is_address(text: str) -> bool:
    """Whether a text is an address with a protocol: a path has no two slashes behind a colon, once it is a `Path`."""
    return "://" in text and _ADDRESS.match(text) is not None


def path_or_address(text: str | Path) -> PathOrAddress:
    """What a user has named; `file:///pile` is a path like any other."""
    if isinstance(text, Path) or not is_address(text):
        return Path(text)
    return Path(text.removeprefix("file://")) if text.startswith("file://") else text


def within(folder: PathOrAddress, name: str) -> PathOrAddress:
    """A name in a folder or below an address."""
    return f"{folder.rstrip('/')}/{name}" if isinstance(folder, str) else folder / name


def redacted(text: str) -> str:
    """A text without what may be credentials in addresses: user and password before the store, and queries."""
    text = re.sub(r"(://)[^\s'\"]*:[^\s'\"]*@", r"\1…@", text)
    return re.sub(r"(://[^\s?'\"]*)\?[^\s'\"]*", r"\1?…", text)


def recorded(path: str | Path, project: Path) -> str:
    """A path as a file of the project holds it; addresses as they are.

    `..` in it stays: files beside the project are found again when both are moved.
    """
    text, below = os.fspath(path), _prefix(str(project))
    if not below:
        return text
    if not os.path.isabs(text):  # noqa: PTH117  # 100,000 of them
        text = text if is_address(text) else os.path.abspath(text)  # noqa: PTH100
    return text.removeprefix(below)


def located(path: str, project: Path) -> str:
    """A path out of a file of the project, as it can be opened: the counterpart of `recorded`."""
    below = _prefix(str(project))
    return os.path.join(below, path) if below and not is_address(path) else path  # noqa: PTH118  # 100,000 of them


def recorded_document(document: Any, project: Path) -> Any:
    """A JSON document, paths below the project folder, wherever they are in it, as a file of the project holds them."""
    if project == Path() and not isinstance(document, dict | list | tuple | Path):
        return document
    if isinstance(document, Path):
        document = os.fspath(document)
    if isinstance(document, str):
        return document.removeprefix(_prefix(str(project)))
    if isinstance(document, dict):
        return {recorded_document(name, project): recorded_document(one, project) for name, one in document.items()}
    if isinstance(document, list | tuple):
        return [recorded_document(one, project) for one in document]
    return document


@lru_cache
def _prefix(project: str) -> str:
    """The prefix of paths below a project folder; empty for the current folder."""
    return "" if project == "." else os.path.join(project, "")  # noqa: PTH118


def file_stem(name: str) -> str:
    """A name of a class or a unit as a part of a file's name: letters of any script, digits, `.`, `-` and `_`."""
    return re.sub(r"[^\w.-]+", "_", name)

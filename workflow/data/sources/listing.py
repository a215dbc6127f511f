"""Find pictures without labels: files that are named, those in folders and below, members of tars."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from workflow.cluster.parts import TICKET
from workflow.data.sources import reading, tars
from workflow.errors import UsageError
from workflow.formats.files import missing

Refused = tuple[str, str]
"""The path of something that is never read, and a reason that follows it in a sentence."""


def items(place: str | Path, refused: list[Refused]) -> Iterator[bytes]:
    """The items of a place, see `reading`: sorted in folders, as they come in a tar.

    Hidden files and folders are left out, links to folders are not followed.

    Args:
        place: a picture, a folder, a tar, or a member of one.
        refused: gets members of tars that are never read.

    Raises:
        UsageError: P01, it does not exist.
        DataError: P40, a tar is damaged.
    """
    path = os.fspath(place)
    if os.path.isdir(path):  # noqa: PTH112  # paths are text here
        for here, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(name for name in names if not name.startswith(".")):
                yield from _file(os.path.join(here, name), refused)  # noqa: PTH118
    elif reading.exists(path):
        yield from _file(path, refused)
    else:
        message, hint = missing(Path(path))
        raise UsageError(message, hint=hint, fault="P01")


def _file(path: str, refused: list[Refused]) -> Iterator[bytes]:
    if not tars.is_tar(path) or not os.path.isfile(path):  # noqa: PTH113
        yield os.fsencode(path)
        return
    tar = tars.opened(path)
    refused += [(f"{path}/{one.name}", one.reason) for one in tar.refused]
    for name in tar.pictures():
        yield os.fsencode(f"{path}/{name}") + TICKET + tar.ticket(name).encode()

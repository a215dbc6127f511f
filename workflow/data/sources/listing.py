"""Find pictures without labels: files that are named, those in folders and below, members of tars, lines of lists."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from workflow.cluster.parts import TICKET
from workflow.data.sources import objects, reading, tars
from workflow.data.sources.lists import Lines, without_label
from workflow.errors import DataError, UsageError
from workflow.formats.files import missing
from workflow.paths import PathOrAddress, is_address

Refused = tuple[str, str]
"""The path of something that is never read, and a reason that follows it in a sentence."""


class NoPicture(str):
    """Why there is no item, worded to follow a path."""

    __slots__ = ()


def items(place: PathOrAddress, refused: list[Refused]) -> Iterator[bytes]:
    """The items of a place, see `reading`: sorted in folders, as they come in a tar.

    Hidden files and folders are left out, links to folders are not followed.

    Args:
        place: a picture, a folder, a tar, or a member of one; or an object, or what the names of objects begin with.
        refused: gets members of tars that are never read, and damaged tars that are found in a folder.

    Raises:
        UsageError: P01, it does not exist. P42, an address is not one that is read.
        DataError: P40, a tar that is named is damaged.
        EnvironmentFault: P42, a store refuses.
    """
    path = os.fspath(place)
    if is_address(path):
        root = objects.checked(path)
        for name, ticket in objects.listed(root):
            yield os.fsencode(f"{root}/{name}" if name else root) + TICKET + ticket.encode()
    elif os.path.isdir(path):  # noqa: PTH112  # paths are text here
        for here, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(name for name in names if not name.startswith(".")):
                yield from _found(os.path.join(here, name), refused)  # noqa: PTH118
    elif reading.exists(path):
        yield from _file(path, refused)
    else:
        message, hint = missing(Path(path))
        raise UsageError(message, hint=hint, fault="P01")


def listed(source: Path, refused: list[Refused]) -> Iterator[bytes]:
    """The items that the lines of a list name; a label behind a path is passed over.

    Args:
        source: the list; its paths are relative to its folder.
        refused: gets lines whose pictures are not there, and members as of `items`.

    Raises:
        UsageError, DataError, OSError: as `lists.Lines`.
        DataError: P40, a tar is damaged.
    """
    lines = Lines(source, labelled=False)
    for line in lines:
        path = joined(source.parent, line.text)
        if is_address(path):
            address = without_label(path)
            if lines.reads(line.number, address):
                yield os.fsencode(address)
            continue
        found = item(path)
        if isinstance(found, NoPicture) and (bare := without_label(line.text)) != line.text:
            path = joined(source.parent, bare)
            found = item(path)
        if isinstance(found, NoPicture):
            refused.append((path, f"{found} ({source}:{line.number})"))
        elif TICKET in found:
            yield found
        else:
            yield from _file(path, refused)


def joined(folder: Path, text: str) -> str:
    """A path or address on a list in a folder."""
    return text if is_address(text) else os.path.join(folder, text)  # noqa: PTH118  # 1,000,000 of them


def item(path: str) -> bytes | NoPicture:
    """The item of one picture; of a tar its path. Whether there is such an object is not looked up.

    Raises:
        DataError: P40, the path names a member of a damaged tar.
    """
    if is_address(path):
        return os.fsencode(path)
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except NotADirectoryError:
        try:
            return tars.item_of(path)
        except OSError:
            return NoPicture("does not exist")
    except FileNotFoundError:
        return NoPicture("does not exist")
    except OSError as error:
        return NoPicture(f"cannot be read ({error.strerror})")
    if stat.S_ISREG(mode):
        return os.fsencode(path)
    return NoPicture("is a folder, not a picture" if stat.S_ISDIR(mode) else "is not a regular file")


def _found(path: str, refused: list[Refused]) -> Iterator[bytes]:
    """What a file of a folder gives: one that nobody has named stops nothing."""
    try:
        yield from _file(path, refused)
    except DataError as error:
        refused.append((path, error.message.removeprefix(f"{path} ")))
    except OSError:  # whoever reads it says what is wrong
        yield os.fsencode(path)


def _file(path: str, refused: list[Refused]) -> Iterator[bytes]:
    if not tars.is_tar(path) or not os.path.isfile(path):  # noqa: PTH113
        yield os.fsencode(path)
        return
    tar = tars.looked_through(path)
    refused += [(f"{path}/{one.name}", one.reason) for one in tar.refused]
    for name in tar.pictures():
        yield tar.item(name)

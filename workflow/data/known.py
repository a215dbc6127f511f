"""files.npz: what a preparation knew of the files that it read, so that the next one need not read them again.

A file is known by its path below the project, its size and its time of change in nanoseconds, as in git's index; a
member of a tar by its path and the tar's size and time. Then
its digest, notes and thumbnail are taken from here, and its pixels from the database beside it, which is known in the
same way, or else by its hash. A file that was changed less than two seconds before the preparation began is not
remembered: it may change again without another time. What cannot be seen so is a file that was replaced by one of the
same size and given the same time; `wf prepare --rehash` reads all files.

Whatever is wrong with this file, or was made with other settings or versions of the decoders, is as if it were not
there: all files are read.
"""

from __future__ import annotations

import logging
import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from workflow.cluster.parts import TICKET
from workflow.data.array_file import map_arrays, write_arrays
from workflow.data.before import Before, before
from workflow.data.mapped import mapped
from workflow.data.names import unpacked
from workflow.data.sources import reading
from workflow.data.split import SPLITS
from workflow.data.table import Table
from workflow.generations import Generation
from workflow.storage import replacing

_BLOCK = 2**14  # files
_GRANULARITY = 2 * 10**9  # ns; FAT's clock has the coarsest steps

_Kept = Mapping[str, NDArray[Any]]

_log = logging.getLogger("workflow")


def remember(generation: Generation, table: Table, basis: bytes, began: int) -> None:
    """Write the files.npz of a generation.

    Args:
        generation: whose files are written.
        table: its files; the states of those that are not remembered become 0.
        basis: see `decoders.basis`.
        began: the time at which the preparation began, in ns as `time.time_ns` has it.

    Raises:
        OSError: as the operating system says it.
    """
    each = [(listed, folder.names) for folder, _, listed, _ in table.each_folder()]
    folders = [(listed, len(names), len(names.text)) for listed, names in each]
    text = mapped(generation.folder, np.dtype(np.uint8), (sum(length for *_, length in folders),))
    np.concatenate([np.frombuffer(names.text, np.uint8) for _, names in each], out=text)
    table.states[table.states[:, 1] >= began - _GRANULARITY] = 0
    arrays: dict[str, NDArray[Any]] = {
        "basis": np.frombuffer(basis, np.uint8),
        "folders": np.frombuffer(_json(folders), np.uint8),
        "names": text,
        "states": table.states,
        "digests": table.digests,
        "thumbnails": table.thumbnails,
        "notes": table.notes,
        "databases": np.array([_state(generation.database(split) / "data.mdb") for split in SPLITS], np.int64),
    }
    with replacing(generation.files) as path:
        write_arrays(path, arrays)


def _state(path: Path) -> tuple[int, int]:
    """Size in bytes and time of change in ns; that of no file is 0."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def recall(table: Table, generations: Sequence[Generation], previous: Before | None, basis: bytes) -> None:
    """Enter the files that the newest preparation knew and that are as they were: they count as read.

    Args:
        table: nothing was read yet.
        generations: those that may have a files.npz, the newest at the end.
        previous: one of them, if it was read already.
        basis: see `decoders.basis`.
    """
    newest = next((one for one in reversed(generations) if one.files.is_file()), None)
    if newest is None or not len(table):
        return
    try:
        kept = map_arrays(newest.files)
        if kept["basis"].tobytes() == basis:
            one = previous if previous is not None and previous.generation == newest else before(newest)
            _enter(table, kept, one)
    except Exception as error:  # damaged in whatever way: the files are read
        _log.debug("%s is not used: %s", newest.files, error)
        table.read[:] = False


def _enter(table: Table, kept: _Kept, earlier: Before) -> None:
    all_rows = _unchanged(table, kept)
    all_files = np.flatnonzero(all_rows >= 0)
    trusted = _whole(earlier, kept["databases"])
    first = np.array([np.argmax(earlier.sides == side) for side in range(len(SPLITS))])
    for start in range(0, len(all_files), _BLOCK):
        files = all_files[start : start + _BLOCK]
        rows = all_rows[files]
        digests = kept["digests"][rows]
        places = earlier.digests.find(digests)
        good = (places >= 0) & trusted[earlier.sides[places]]
        files, rows, places = files[good], rows[good], places[good]
        sides = earlier.sides[places]
        table.digests[files] = digests[good]
        table.thumbnails[files] = kept["thumbnails"][rows]
        table.states[files] = kept["states"][rows]
        table.notes[files] = kept["notes"][rows]
        table.parts[files] = -1 - sides
        table.rows[files] = places - first[sides]
        table.crcs[files] = earlier.crcs[places]
        table.read[files] = True
    table.earlier = earlier.generation


def _whole(earlier: Before, states: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of each side, whether its database is as it was written; of none if the manifest is not."""
    one = earlier.generation

    if not earlier.as_written(one.manifest.name):
        raise ValueError(f"{one.manifest} has changed")
    folders = [one.database(split) for split in SPLITS]
    return np.array(
        [
            _state(folder / "data.mdb") == tuple(state) or earlier.as_written(f"{folder.name}/data.mdb")
            for folder, state in zip(folders, states.tolist(), strict=True)
        ]
    )


def _unchanged(table: Table, kept: _Kept) -> NDArray[np.intp]:
    """(N,): the row of each file of the table that is as it was, else -1."""
    rows = np.full(len(table), -1, np.intp)
    states = kept["states"]
    known: dict[str, list[tuple[int, NDArray[np.uint8]]]] = {}  # a folder of a tar may hold several classes
    for listed, first, packed in _folders(kept):
        known.setdefault(listed, []).append((first, packed))
    for folder, path, listed, start in table.each_folder():
        numbers: dict[bytes, int] = {}
        for first, packed in known.get(listed, ()):
            numbers.update(zip(unpacked(packed.tobytes()), count(first)))
        if not numbers:
            continue
        prefix = os.fsencode(path)
        notes = None if folder.tickets is None else folder.tickets.unpacked()
        found, now = array("q"), array("q")
        for place, name in enumerate(folder.names.unpacked()):
            if (row := numbers.get(name)) is None:
                continue
            item = prefix + name
            state = reading.state(item + TICKET + notes[place] if notes and notes[place] else item)
            if state is None:  # whoever reads it says what is wrong
                continue
            now.extend(state)
            found.extend((start + place, row))
        places, row_of = np.frombuffer(found, np.int64).reshape(-1, 2).T
        same = (states[row_of] == np.frombuffer(now, np.int64).reshape(-1, 2)).all(axis=1)
        rows[places[same]] = row_of[same]
    return rows


def _folders(kept: _Kept) -> Iterator[tuple[str, int, NDArray[np.uint8]]]:
    """Each folder's path, the row of its first file, and its names as `Packed` has them."""
    names = kept["names"]
    row = place = 0
    for folder, files, length in msgspec.json.decode(kept["folders"].tobytes()):
        yield os.fsdecode(bytes.fromhex(folder)), row, names[place : place + length]
        row, place = row + files, place + length


def _json(folders: list[tuple[str, int, int]]) -> bytes:
    """Paths as hexadecimal digits: JSON has no word for bytes that are not UTF-8."""
    return msgspec.json.encode([(os.fsencode(path).hex(), files, length) for path, files, length in folders])

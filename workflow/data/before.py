"""What an earlier generation says of its pictures, found by their bytes."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workflow.data import manifest
from workflow.data.digests import Digests
from workflow.data.split import SPLITS, UNDECIDED, VALIDATION
from workflow.generations import Generation, Record
from workflow.storage import sha256


@dataclass(frozen=True, kw_only=True)
class Before:
    """The pictures of an earlier generation's manifest, in its order; one whose manifest is gone has none."""

    generation: Generation
    record: Record
    digests: Digests
    labels: NDArray[np.uint16]
    """(N,), class numbers."""
    sides: NDArray[np.int8]
    """(N,), see `split.SPLITS`: those of one side follow each other, in the order of the records of its database."""
    crcs: NDArray[np.uint32]
    """(N,), the CRC-32 of each record's value."""

    @cached_property
    def distinct(self) -> int:
        """Pictures, where those of the same bytes count once."""
        return int(np.count_nonzero(self.digests.find(self.digests.rows) == np.arange(len(self.digests))))

    @property
    def cut(self) -> bool:
        """Whether it has validation pictures."""
        return bool(np.any(self.sides == VALIDATION))

    def sides_of(self, digests: NDArray[np.uint8]) -> NDArray[np.int8]:
        """int8 (M,): the sides of pictures by their digests, uint8 (M, 32); -1 for those that it does not have."""
        found = self.digests.find(digests)
        if not len(self.digests):
            return np.full(len(digests), UNDECIDED, np.int8)
        return np.where(found < 0, UNDECIDED, self.sides[found]).astype(np.int8)

    def as_written(self, name: str) -> bool:
        """Whether a file of its data set has the bytes that were recorded; the name is that in `Record.hashes`."""
        path = self.generation.dataset / name
        return path.is_file() and sha256(path) == self.record.hashes.get(name)

    def whole(self) -> bool:
        """Whether all files of its data set are as they were written."""
        try:
            return bool(len(self.digests) and self.record.hashes) and all(map(self.as_written, self.record.hashes))
        except OSError:  # one cannot be read
            return False


def before(generation: Generation) -> Before:
    """Read a generation's record and manifest. One whose dataset was deleted to save space has no pictures.

    Raises:
        DataError: the record is missing, or either is damaged.
    """
    record = generation.read()
    numbers = {name: number for number, name in enumerate(record.classes)}
    sides = {name: number for number, name in enumerate(SPLITS)}
    digests, crcs, labels, places = bytearray(), array("I"), array("H"), array("b")
    for images in manifest.blocks(generation) if generation.manifest.exists() else ():
        digests += bytes.fromhex("".join([image.sha256 for image in images]))
        crcs.extend([image.crc32 or 0 for image in images])
        labels.extend([numbers.get(image.class_name, 0) for image in images])
        places.extend([sides[image.split] for image in images])
    return Before(
        generation=generation,
        record=record,
        digests=Digests(np.frombuffer(digests, np.uint8).reshape(-1, 32)),
        labels=np.frombuffer(labels, np.uint16),
        sides=np.frombuffer(places, np.int8),
        crcs=np.frombuffer(crcs, np.uint32),
    )

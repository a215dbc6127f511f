"""Test pictures of one generation for the nets of several, each with its own preprocessing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from workflow.config import Preprocessing
from workflow.data import manifest
from workflow.data.manifest import Image
from workflow.data.sources.reading import whole
from workflow.errors import DataError
from workflow.formats import datum
from workflow.formats.lmdb import Reader
from workflow.generations import Generation
from workflow.models.model import Model

Pixels = NDArray[np.generic]


@dataclass(kw_only=True)
class SharedPictures:
    """Evenly spaced records of a generation's test set, which its seed has shuffled.

    A net with the generation's preprocessing gets the record; for others the file is decoded again. A picture whose
    file is gone, has changed or cannot be read is left out for all nets.
    """

    generation: Generation
    limit: int
    """Take this many at most."""
    used: int = 0
    left_out: list[str] = field(default_factory=list)
    """Paths of pictures that were needed, but have changed or disappeared since they were prepared."""

    def __post_init__(self) -> None:
        self._images = list(manifest.read(self.generation, "test"))

    @property
    def count(self) -> int:
        """How many pictures will be taken, before any is left out."""
        return min(self.limit, len(self._images))

    def batches(self, models: Sequence[Model], size: int) -> Iterator[list[Pixels]]:
        """For each batch the pixels (N, C, H, W) for each model, the same N pictures for all.

        Raises:
            DatabaseError: the database cannot be read.
            DataError: it has other records than the manifest.
        """
        own = self.generation.read().preprocessing
        decoders = {_key(model.preprocessing): model for model in models if model.preprocessing != own}
        self.used = 0
        self.left_out.clear()
        with Reader(self.generation.database("test")) as reader:
            if len(reader) != len(self._images):
                raise DataError(
                    f"{self.generation.database('test')} has {len(reader)} records, "
                    f"but the manifest lists {len(self._images)}",
                    hint=f"wf verify --gen {self.generation.number}",
                )
            positions = np.unique(np.linspace(0, len(self._images) - 1, self.count).astype(int)).tolist()
            for start in range(0, len(positions), size):
                ways: dict[str, list[Pixels]] = {_key(own): [], **{key: [] for key in decoders}}
                for position in positions[start : start + size]:
                    anew = self._decoded(self._images[position], decoders)
                    if anew is None:
                        continue
                    key, value = reader.read(position)
                    ways[_key(own)].append(datum.decode(value, key=key)[0])
                    for way, pixels in anew.items():
                        ways[way].append(pixels)
                if kept := len(ways[_key(own)]):
                    self.used += kept
                    stacked = {way: np.stack(pixels) for way, pixels in ways.items()}
                    yield [stacked[_key(model.preprocessing)] for model in models]

    def _decoded(self, image: Image, decoders: dict[str, Model]) -> dict[str, Pixels] | None:
        """The picture by each of the other preprocessings; None, and noted, if it cannot be decoded."""
        if not decoders:
            return {}
        try:
            data = whole(image.path)
            if hashlib.sha256(data).hexdigest() == image.sha256:
                return {way: model.read(data) for way, model in decoders.items()}
        except (OSError, DataError):
            pass
        self.left_out.append(image.path)
        return None


def _key(preprocessing: Preprocessing) -> str:
    return msgspec.json.encode(preprocessing).decode()

"""A compact sequence of pictures: a few megabytes for a hundred thousand, without an object for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from workflow.exams.picture import Picture

_DIGEST = 32  # bytes of a sha256
_ENCODING = ("utf-8", "surrogatepass")  # paths hold lone surrogates where a file's name is not UTF-8


class Pictures(Sequence[Picture]):
    """Pictures, packed: about 100 bytes each where tuples of strings take 400. Grows at its end only."""

    def __init__(self, pictures: Iterable[Picture] = ()) -> None:
        self._paths = bytearray()  # one after the other
        self._ends = array("q")  # of each path
        self._digests = bytearray()
        self._truths = array("i")  # places in _names, -1 for none
        self._names: list[str] = []  # of classes
        self._numbers: dict[str, int] = {}
        self.extend(pictures)

    def extend(self, pictures: Iterable[Picture]) -> None:
        """Add pictures at the end."""
        for path, sha256, truth in pictures:
            self._paths += path.encode(*_ENCODING)
            self._ends.append(len(self._paths))
            self._digests += bytes.fromhex(sha256)
            self._truths.append(-1 if truth is None else self._number(truth))

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> Picture: ...

    @overload
    def __getitem__(self, index: slice) -> list[Picture]: ...

    def __getitem__(self, index: int | slice) -> Picture | list[Picture]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        truth = self._truths[place]
        return Picture(
            self.path(place),
            self._digests[place * _DIGEST : (place + 1) * _DIGEST].hex(),
            None if truth < 0 else self._names[truth],
        )

    def __iter__(self) -> Iterator[Picture]:
        return map(self.__getitem__, range(len(self)))

    def path(self, place: int) -> str:
        """Of the picture at a place, 0 .. len-1."""
        start = self._ends[place - 1] if place else 0
        return self._paths[start : self._ends[place]].decode(*_ENCODING)

    def by_path(self) -> list[int]:
        """The places in the order of their paths; those of one path as they are."""
        return sorted(range(len(self)), key=self.path)

    def taken(self, places: Iterable[int]) -> Pictures:
        """The pictures at some places, in that order."""
        return Pictures(map(self.__getitem__, places))

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The pictures as arrays, for an npz file; `of_arrays` reverses it."""
        return {
            "paths": np.frombuffer(bytes(self._paths), np.uint8),
            "ends": np.array(self._ends, np.int64),
            "sha256": np.frombuffer(bytes(self._digests), np.uint8),
            "truths": np.array(self._truths, np.int32),
            "names": np.frombuffer("\n".join(self._names).encode(*_ENCODING), np.uint8),
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Pictures:
        """The pictures in arrays made by `arrays`.

        Raises:
            KeyError, ValueError: they do not fit each other.
        """
        made = cls()
        made._paths = bytearray(arrays["paths"].tobytes())
        made._ends = array("q", arrays["ends"].tolist())
        made._digests = bytearray(arrays["sha256"].tobytes())
        made._truths = array("i", arrays["truths"].tolist())
        text = arrays["names"].tobytes().decode(*_ENCODING)
        made._names = text.split("\n") if text else []
        made._numbers = {name: number for number, name in enumerate(made._names)}
        count = len(made)
        fits = len(made._truths) == count and len(made._digests) == count * _DIGEST
        if not fits or len(made._paths) != (made._ends[-1] if count else 0):
            raise ValueError("lists of pictures that differ in length")
        if max(made._truths, default=-1) >= len(made._names) or min(made._truths, default=-1) < -1:
            raise ValueError("a picture of a class that is not listed")
        return made

    def _number(self, name: str) -> int:
        if name not in self._numbers:
            self._numbers[name] = len(self._names)
            self._names.append(name)
        return self._numbers[name]

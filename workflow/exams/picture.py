"""The pictures of an exam: what is known of each, and why a file is not among them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workflow.paths import PathOrAddress

Pixels = NDArray[np.generic]

BATCH = 100
"""Pictures that go through a net at once."""

PART = 500
"""Files that one process decodes and shows to a net before it takes others; no batch holds files of two parts."""


class Picture(NamedTuple):
    """One picture of an exam."""

    path: str
    """As the manifest has it, or as it was found."""
    sha256: str
    """Of the file's bytes, hexadecimal."""
    truth: str | None
    """The class of its label, None for an unlabelled picture."""


class Batch(NamedTuple):
    """Some pictures with their pixels."""

    pictures: list[Picture]
    pixels: Pixels
    """(N, C, H, W) as a record of the data set holds it."""


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A file that could not be read as a picture."""

    path: PathOrAddress
    reason: str
    """It follows the path in a sentence: `is truncated`."""


def digest(pictures: Sequence[Picture]) -> str:
    """Hash of the pictures and labels, independent of their order and paths: 64 hexadecimal digits."""
    return digest_of(sorted(f"{one.sha256} {one.truth or ''}" for one in pictures))


def digest_of(lines: Iterable[str]) -> str:
    """The SHA-256 of lines of text, 64 hexadecimal digits."""
    found = hashlib.sha256()
    for line in lines:
        found.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return found.hexdigest()

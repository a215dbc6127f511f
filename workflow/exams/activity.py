"""Find dead channels, which never change, while the test set is evaluated.

generations/gen5/evaluation/iter_6000/gen5-test/activity.json
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from workflow.engines.base import Array
from workflow.storage import atomic_write

FILE = "activity.json"

PICTURES = 2000
"""Of a larger exam only the first are watched: all blobs of a pass are copied for that."""


@dataclass(kw_only=True)
class Activity:
    """The minimum and the maximum of each channel of each blob, over the pictures seen so far."""

    pictures: int = 0
    low: dict[str, Array] = field(default_factory=dict)
    high: dict[str, Array] = field(default_factory=dict)

    @property
    def wanted(self) -> bool:
        """Whether more pictures are to be seen."""
        return self.pictures < PICTURES

    def see(self, blobs: Mapping[str, Array]) -> None:
        """Update with the blobs of a batch, (N, C, ...) each."""
        sizes = set()
        for name, blob in blobs.items():
            if blob.ndim < 2 or not blob.size:
                continue
            sizes.add(len(blob))
            axes = (0, *range(2, blob.ndim))
            low, high = blob.min(axes), blob.max(axes)
            self.low[name] = np.minimum(self.low.get(name, low), low)
            self.high[name] = np.maximum(self.high.get(name, high), high)
        self.pictures += max(sizes, default=0)

    def silent(self) -> dict[str, Silent]:
        """Blob -> how many of its channels hold one number for all pictures and places."""
        return {
            name: Silent(channels=len(low), silent=int((self.high[name] == low).sum()), pictures=self.pictures)
            for name, low in self.low.items()
        }


@dataclass(frozen=True, kw_only=True)
class Silent:
    """Of one blob."""

    channels: int
    silent: int
    """Channels that no picture changes."""
    pictures: int
    """How many test pictures were seen."""

    @property
    def words(self) -> str:
        """One line for people."""
        share = f"{self.silent:,} of {self.channels:,} channels"
        return f"{share} are dead: none of {self.pictures:,} test pictures changes them"

    def json(self) -> dict[str, Any]:
        """All fields."""
        return dict(vars(self))


def write(path: Path, activity: Activity, key: str) -> None:
    """Write it to the cache; `key` identifies weights and pictures."""
    document = {"key": key, "blobs": {name: one.json() for name, one in activity.silent().items()}}
    atomic_write(path, (json.dumps(document) + "\n").encode())


def read(path: Path, key: str) -> dict[str, Silent]:
    """The cached values for a key, by blob; empty if there are none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {name: Silent(**one) for name, one in document["blobs"].items()} if document["key"] == key else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}

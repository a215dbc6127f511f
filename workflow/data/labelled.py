"""Labelled pictures that came through the inbox: one more folder of a preparation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workflow.data.table import Table
from workflow.generations.record import FromInbox

OWNER = "owner"
"""The sender of pictures that come from folders of this machine."""


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """inbox/labelled, and who sent what."""

    root: Path
    senders: Mapping[str, str]
    """sha256 -> sender."""

    def taken(self, table: Table) -> FromInbox:
        """How many of its pictures are used, by sender."""
        counts: Counter[str] = Counter()
        for index in np.flatnonzero(table.read).tolist():
            if table.folder(index)[0].root == self.root:
                counts[self.senders.get(table.digests[index].tobytes().hex(), OWNER)] += 1
        return FromInbox.of({"pictures": counts.total(), "senders": dict(counts.most_common())})


def found(root: Path) -> bool:
    """Whether a folder has a file in a class folder."""
    return root.is_dir() and any(path.is_file() for folder in root.glob("*/") for path in folder.iterdir())

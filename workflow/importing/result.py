"""The result of an import."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """A generation made of foreign files."""

    generation: int
    folder: Path
    classes: tuple[str, ...]
    train: int
    """Records."""
    test: int
    shape: tuple[int, int, int]
    """(C, H, W) of a record."""
    channel_order: str
    pictures: int
    """Records whose picture file was found."""
    snapshots: tuple[int, ...]
    """Iterations."""
    sources: dict[str, Path]
    """The source of each part; a part that is not named was made here, or does not exist."""

    def json(self) -> dict[str, Any]:
        """As `wf import --json` gives it."""
        return vars(self) | {
            "folder": str(self.folder),
            "sources": {part: str(path) for part, path in self.sources.items()},
        }

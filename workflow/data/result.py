"""The result of a preparation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workflow.data.changes import Changes
from workflow.data.correcting import Corrected
from workflow.generations.record import FromInbox


@dataclass(frozen=True, kw_only=True)
class PrepareResult:
    """The result of preparing the folders."""

    generation: int
    folder: Path
    classes: tuple[str, ...]
    train: int
    validation: int
    test: int
    known: int
    """Files that were not read, since they are as the last preparation knew them."""
    files: int
    """All files that were found in the classes' folders."""
    skipped: tuple[tuple[str, str], ...]
    """(path, reason), by path; the reason follows the path in a sentence: `is truncated`."""
    changes: Changes
    corrected: Corrected
    inbox: FromInbox
    """Pictures that came through the inbox."""
    warnings: tuple[str, ...]
    """As they were logged."""
    pictures: tuple[Path, ...] = ()
    """The contact sheet of what was prepared."""

    @property
    def test_share(self) -> float:
        """The share of test pictures that resulted."""
        return self.test / (self.train + self.validation + self.test)

    def to_json(self) -> dict[str, Any]:
        """The document of `wf prepare --json`."""
        return {
            "generation": self.generation,
            "folder": str(self.folder),
            "classes": list(self.classes),
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
            "test_share": self.test_share,
            "files": self.files,
            "known": self.known,
            "skipped": [{"path": path, "reason": reason} for path, reason in self.skipped],
            "changes": asdict(self.changes),
            "corrections": self.corrected.json(),
            "inbox": {"pictures": self.inbox.pictures, "senders": self.inbox.senders},
            "warnings": list(self.warnings),
            "pictures": [str(path) for path in self.pictures],
        }

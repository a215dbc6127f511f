"""What is found in labelled folders and tars."""

from __future__ import annotations

from dataclasses import dataclass, field

from workflow.data.names import Packed
from workflow.paths import PathOrAddress


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Files of one folder, or members of a tar with one folder, which all belong to one class."""

    root: PathOrAddress
    """The folder, tar or address that the user named, or the folder of a list."""
    inside: str
    """This folder, relative to `root`, with slashes: `train/cat`; it may be empty."""
    class_name: str
    split: str | None
    """One of `split.SPLITS` where the folders say it, else None."""
    names: Packed
    """Sorted; those of a tar as they come."""
    tickets: Packed | None = None
    """One for each name, empty for files; None if all are empty. See `sources.reading`."""


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A file that does not become a record, and why."""

    path: str
    reason: str
    """It follows the path in a sentence: `is truncated`."""
    kind: str
    """One or two words to count by: `truncated`."""
    bad: bool = True
    """Counts towards the share of unreadable files that stops a preparation."""


@dataclass(kw_only=True)
class Scan:
    """What the folders hold."""

    folders: list[Folder] = field(default_factory=list)
    classes: tuple[str, ...] = ()
    """Sorted by name."""
    skipped: list[Skipped] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    """Folders that may not be listed."""
    ignored: int = 0
    """Hidden files and litter of operating systems."""
    warnings: list[str] = field(default_factory=list)

    @property
    def files(self) -> int:
        """How many files will be read."""
        return sum(len(folder.names) for folder in self.folders)


def printable(text: str) -> str:
    """A path as it can be shown on a terminal: control characters and lone surrogates are written as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)

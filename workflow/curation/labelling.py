"""Apply the decisions of `wf next`: copy pictures into the folders of their classes.

`decision` is empty in what is written. The user fills in `accept` (the suggested class), `refuse` (the picture is not
to be labelled, and not offered again), or the name of a class; what stays empty stays open.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow.config import Config
from workflow.curation import decision_table
from workflow.curation.decision_table import ACCEPT, REFUSE, REMOVE
from workflow.data import corrections
from workflow.data.corrections import Correction, Patch
from workflow.data.found import Folder
from workflow.data.scan import scan
from workflow.data.sources.reading import whole
from workflow.errors import DataError, Location, did_you_mean
from workflow.exams.picture import Skipped
from workflow.generations import existing
from workflow.paths import located, path_or_address, recorded_document
from workflow.storage import create

_NEEDED = ("path", "sha256", "suggested", "decision")


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """The result of applying a table of decisions."""

    copied: Mapping[str, Path]
    """Path in the pile -> its copy in a class folder."""
    classes: Mapping[str, int]
    """Class -> pictures copied."""
    present: int
    """Decided pictures whose class folder had them already."""
    refused: int
    """Not offered again, until the patch is undone."""
    patch: Patch | None
    """With those refused for the first time; None if there are none."""
    open: int
    """Rows without a decision."""
    skipped: tuple[Skipped, ...]

    def json(self) -> dict[str, Any]:
        """As `wf next --apply FILE --json` gives it."""
        return {
            "copied": {path: str(copy) for path, copy in self.copied.items()},
            "classes": dict(self.classes),
            "present": self.present,
            "refused": self.refused,
            "patch": None if self.patch is None else str(self.patch.path),
            "open": self.open,
            "skipped": [{"path": str(one.path), "reason": one.reason} for one in self.skipped],
        }


def apply(config: Config, path: Path) -> Labelled:
    """Copy the decided pictures into the class folders of the first of `images`; no file is replaced.

    A table can be applied again when more of it is filled in. All rows are read before the first copy is made.

    Args:
        config: says where the labelled pictures and the generations are.
        path: the table.

    Raises:
        UsageError: there is no such file, or no generation.
        DataError: the table is malformed, or names an unknown class; the message names the line.
        OSError: as the operating system says it.
    """
    rows = decision_table.read(
        path, _NEEDED, ("path", "sha256", "suggested", "...", "decision"), root=config.generations
    )
    root = config.images[0]
    folders = scan([root], follow_symlinks=True).folders if root.is_dir() and any(root.iterdir()) else []
    known = {*existing(config).read().classes, *(one.class_name for one in folders)}
    chosen = [(row, _class(row, Location(path=path, line=line), sorted(known))) for line, row in rows]
    copied: dict[str, Path] = {}
    counts: Counter[str] = Counter()
    present, skipped = 0, []
    for row, name in chosen:
        if not name:
            continue
        source = path_or_address(located(row["path"], config.project))
        try:
            data = whole(source)
        except OSError as error:
            skipped.append(Skipped(path=source, reason=f"cannot be read: {error.strerror}"))
            continue
        if _digest(data) != row["sha256"].strip():
            skipped.append(Skipped(path=source, reason="has changed since it was listed"))
            continue
        copy = _copy(data, Path(source).name, _folder(root, folders, name))
        if copy is None:
            present += 1
        else:
            copied[row["path"]] = copy
            counts[name] += 1
    refused = [row for row, name in chosen if name == ""]
    patch = _refuse(config, refused)
    decision_table.mark_applied(path)
    return Labelled(
        copied=copied,
        classes=dict(counts.most_common()),
        present=present,
        refused=len(refused),
        patch=patch,
        open=sum(name is None for _, name in chosen),
        skipped=tuple(skipped),
    )


def _refuse(config: Config, rows: Sequence[Mapping[str, str]]) -> Patch | None:
    """Remember the refused pictures that no patch knows yet."""
    known = corrections.unwanted(corrections.patches(config.generations))
    new = [
        Correction(
            sha256=row["sha256"].strip(),
            path=str(recorded_document(row["path"], config.project)),
            label="",
            refused=row["suggested"].strip(),
        )
        for row in rows
        if row["sha256"].strip() not in known
    ]
    return corrections.add(config.generations, new) if new else None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _class(row: Mapping[str, str], at: Location, known: Sequence[str]) -> str | None:
    """The class of a row: empty if it is refused, None if it is undecided.

    Raises:
        DataError: there is no such class.
    """
    decision = row["decision"].strip()
    word = decision.casefold()
    if not decision:
        return None
    if word in (REFUSE, REMOVE):
        return ""
    name = row["suggested"].strip() if word == ACCEPT else decision
    if name not in known:
        raise DataError(
            f"line {at.line}: decision is '{name}', expected accept, refuse or the name of a class",
            at=at,
            hint=did_you_mean(name, [ACCEPT, REFUSE, *known]) or "a new class needs its folder first",
        )
    return name


def _folder(root: Path, folders: Sequence[Folder], name: str) -> Path:
    """The folder of a class's training pictures, which may not exist yet."""
    usual = [one for one in folders if one.split in (None, "train")]
    for one in usual:
        if one.class_name == name:
            return Path(one.root, one.inside)
    return Path(usual[0].root, usual[0].inside).parent / name if usual else root / name


def _copy(data: bytes, name: str, folder: Path) -> Path | None:
    """Make a file of that name, or a similar one where the name is taken; None if the picture is there already."""
    folder.mkdir(parents=True, exist_ok=True)
    stem, suffix = Path(name).stem, Path(name).suffix
    number = 1
    while True:
        path = folder / (name if number == 1 else f"{stem}-{number}{suffix}")
        try:
            create(path, data)
        except FileExistsError:
            if path.is_file() and path.read_bytes() == data:
                return None
            number += 1
        else:
            return path

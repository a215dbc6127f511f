"""The tables of `wf suspects` and the user's decisions in them.

    path,sha256,label,suggested,score,why,decision

`decision` is empty in what is written. The user fills in `accept` (the suggested class), `refuse` (the label is
right), `remove` (the picture is left out), or the name of a class; empty leaves it undecided. Semicolons or
tabs between the columns, a byte order mark and Windows' line ends are taken as spreadsheets leave them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workflow.config import Config
from workflow.curation import decision_table
from workflow.curation.decision_table import ACCEPT, REFUSE, REMOVE
from workflow.curation.near_duplicates import Twins
from workflow.curation.suspects import Suspect
from workflow.data import corrections
from workflow.data.corrections import Correction, Patch
from workflow.errors import DataError, Location, UsageError, did_you_mean
from workflow.generations import existing
from workflow.paths import recorded_document
from workflow.storage import write_table
from workflow.words import counted

COLUMNS = ("path", "sha256", "label", "suggested", "score", "why", "decision")
_NEEDED = ("sha256", "label", "suggested", "decision")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Applied:
    """The result of applying a table of decisions."""

    patch: Patch | None
    """None if nothing in the table was new."""
    open: int
    """Rows without a decision."""

    @property
    def relabelled(self) -> int:
        """Pictures with another class."""
        return self._count("to")

    @property
    def removed(self) -> int:
        """Pictures that are left out."""
        return self._count("remove")

    @property
    def refused(self) -> int:
        """Labels that stay and are not listed again."""
        return self._count("refused")

    def _count(self, name: str) -> int:
        return 0 if self.patch is None else sum(bool(getattr(one, name)) for one in self.patch.corrections)

    def json(self) -> dict[str, Any]:
        """As `wf suspects --apply FILE --json` gives it."""
        return {
            "patch": None if self.patch is None else str(self.patch.path),
            "relabelled": self.relabelled,
            "removed": self.removed,
            "refused": self.refused,
            "open": self.open,
        }


def write_suspects(path: Path, found: Sequence[Suspect], *, project: Path = Path()) -> None:
    """Write the table to be filled in, whole or not at all.

    Raises:
        OSError: as the operating system says it.
    """
    rows = [
        [one.picture.path, one.picture.sha256, one.label, one.suggested, f"{one.score:.4f}", one.why, ""]
        for one in found
    ]
    write_table(path, COLUMNS, rows, errors="backslashreplace", project=project)


def write_twins(path: Path, found: Sequence[Twins], *, project: Path = Path()) -> None:
    """Write the table of twins: path, label, split, the same of the twin, bits, likeness, kind.

    Raises:
        OSError: as the operating system says it.
    """
    rows = [one.json() for one in found]
    columns = ["path", "label", "split", "twin", "twin_label", "twin_split", "bits", "likeness", "kind"]
    write_table(
        path, columns, [[row[name] for name in columns] for row in rows], errors="backslashreplace", project=project
    )


def read(config: Config, path: Path) -> list[Correction]:
    """The decisions that are filled in.

    Raises:
        UsageError, DataError: as `apply`.
    """
    return _filled_in(config, path)[0]


def apply(config: Config, path: Path) -> Applied:
    """Turn the decisions of a table into a patch that the next preparation applies.

    Decisions that a patch already has are skipped, so that a table can be applied again when more of it is
    filled in.

    Args:
        config: says where the generations are.
        path: the table.

    Raises:
        UsageError: there is no such file, or no generation.
        DataError: the table is malformed, or names an unknown class; the message names the line.
    """
    chosen, still_open = _filled_in(config, path)
    held = corrections.in_force(corrections.patches(config.generations))
    chosen = [replace(one, path=str(recorded_document(one.path, config.project))) for one in chosen]
    new = [one for one in chosen if _verdict(one) not in {_verdict(old) for _, old in held.get(one.sha256, ())}]
    return Applied(patch=corrections.add(config.generations, new) if new else None, open=still_open)


def check_free(root: Path, path: Path) -> None:
    """Check that writing a new table destroys no decision.

    Raises:
        UsageError: the table at `path` holds decisions that no patch has taken over, or cannot be read.
    """
    if not path.exists():
        return
    settled = corrections.decided(corrections.patches(root))
    try:
        waiting = sum(
            bool(row["decision"].strip()) and (row["sha256"].strip(), row["label"].strip()) not in settled
            for _, row in decision_table.read(path, _NEEDED, COLUMNS, root=root)
        )
    except DataError as error:
        raise UsageError(f"{path} exists and is not a table of wf: {error.message}", hint="use --out DIR") from error
    if waiting:
        raise UsageError(
            f"{path} holds {counted(waiting, 'decision')} that have not been applied",
            hint=f"wf suspects --apply {path}, or use --out DIR",
        )


def _filled_in(config: Config, path: Path) -> tuple[list[Correction], int]:
    """The decisions of a table, and how many of its rows have none."""
    rows = decision_table.read(path, _NEEDED, COLUMNS, root=config.generations)
    chosen = _decisions(rows, path, existing(config).read().classes)
    return chosen, len(rows) - len(chosen)


def _verdict(one: Correction) -> tuple[str, str | None, bool]:
    return one.label, one.to, one.remove


def _decisions(rows: Sequence[tuple[int, dict[str, str]]], path: Path, classes: Sequence[str]) -> list[Correction]:
    found: dict[tuple[str, str], tuple[int, Correction]] = {}
    for line, row in rows:
        at = Location(path=path, line=line)
        if not row["decision"].strip():
            continue
        one = _decision({name: text.strip() for name, text in row.items()}, at, classes)
        first, other = found.setdefault((one.sha256, one.label), (line, one))
        if _verdict(other) != _verdict(one):
            raise DataError(f"line {line} and line {first} decide differently about the same picture", at=at)
    return [one for _, one in found.values()]


def _decision(row: dict[str, str], at: Location, classes: Sequence[str]) -> Correction:
    decision, label, suggested = row["decision"], row["label"], row["suggested"]
    if not _DIGEST.fullmatch(row["sha256"]):
        raise DataError(f"line {at.line}: sha256 is '{row['sha256']}', expected 64 hexadecimal digits", at=at)
    word = decision.casefold()
    name = suggested if word == ACCEPT else decision
    blank = Correction(sha256=row["sha256"], path=row.get("path", ""), label=label)
    if word == REMOVE:
        return replace(blank, remove=True)
    if word == REFUSE or name == label:
        return replace(blank, refused=suggested)
    for column, text in (("label", label), ("decision", name)):
        if text not in classes:
            expected = "" if column == "label" else "accept, refuse, remove or "
            raise DataError(
                f"line {at.line}: {column} is '{text}', expected {expected}the name of a class",
                at=at,
                hint=did_you_mean(text, [ACCEPT, REFUSE, REMOVE, *classes] if expected else list(classes)),
            )
    return replace(blank, to=name)

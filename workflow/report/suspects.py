"""Doubtful labels in words."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow.curation import decisions
from workflow.report.contact_sheet import sheets, write_named_sheets
from workflow.storage import write_document
from workflow.words import PARTS, and_more, table

if TYPE_CHECKING:
    from workflow.curation.decisions import Applied
    from workflow.curation.suspects import Suspects
    from workflow.data.corrections import Undone


_LISTED = 15  # suspects that are printed; --json and the table have all


def draw_suspects(found: Suspects, folder: Path, place: Path, *, max_pixels: int) -> dict[str, Path]:
    """Write suspects.csv, twins.csv, the contact sheets, and suspects.json for `wf report`.

    Args:
        found: of `suspects`.
        folder: for all but suspects.json.
        place: for suspects.json: the snapshot's own place, where `wf report` looks for it.
        max_pixels: larger pictures are shown as missing.

    Returns:
        `table`, `twins`, and `sheet`, `sheet 2` …

    Raises:
        OSError: as the operating system says it.
    """
    files = {"table": folder / "suspects.csv", "twins": folder / "twins.csv"}
    decisions.write_suspects(files["table"], found.suspects, project=found.project)
    decisions.write_twins(files["twins"], found.twins, project=found.project)
    entries = [(one.picture.path, f"{row}. {one.caption}") for row, one in enumerate(found.suspects, start=1)]
    files |= write_named_sheets(entries, folder / "suspects.png", max_pixels=max_pixels)
    write_document(place / "suspects.json", document(found, files), project=found.project)
    return files


def document(found: Suspects, pictures: Mapping[str, Path]) -> dict[str, Any]:
    """As `wf suspects --json` gives it."""
    if not pictures:
        return found.json()
    return found.json() | {"csv": pictures["table"], "twins_csv": pictures["twins"], "sheets": sheets(pictures)}


def describe(found: Suspects, pictures: Mapping[str, Path] | None = None) -> str:
    """The number of doubtful labels, the most doubtful ones, and the files."""
    splits = Tally(one.split for one in found.suspects)
    parts = [f"{splits[split]:,} {word}" for split, word in PARTS.items() if splits[split] or split != "validation"]
    told = f" ({', '.join(parts)} pictures)" if found.suspects else ""
    few = f"; the {len(found.suspects):,} most doubtful are listed" if len(found.suspects) < found.doubtful else ""
    share = f"{found.doubtful:,} of {found.pictures:,} pictures"
    lines = [f"{found.snapshot}: another class is likelier than the label for {share}{few}{told}"]
    rows = [[f"{one.score:.4f}", one.label, one.suggested, str(one.picture.path)] for one in found.suspects[:_LISTED]]
    if rows:
        lines += [f"  {line}" for line in table([["doubt", "label", "suggested", "picture"], *rows], left=(1, 2, 3))]
    lines += [f"  {line}" for line in and_more(len(found.suspects), _LISTED)]
    if found.decided:
        lines.append(f"{found.decided:,} were decided earlier")
    if found.twins:
        kinds = Tally(one.kind for one in found.twins)
        lines.append("near-duplicates: " + ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common()))
    if not pictures:
        return "\n".join(lines)
    lines.append("")
    lines += [f"contact sheet  {path}" for path in sheets(pictures)]
    lines.append(f"table          {pictures['table']}")
    if found.twins:
        lines.append(f"near-duplicates  {pictures['twins']}")
    if found.suspects:
        lines += [
            "next: fill in `decision` (accept, refuse, remove or a class), then",
            f"  wf suspects --apply {pictures['table']}",
        ]
    return "\n".join(lines)


def describe_undone(patch: Undone) -> str:
    """The summary of an undone patch."""
    return f"patch {patch.name} reverted ({patch.count:,} decisions, kept in {patch.path})\nnext: wf prepare"


def describe_applied(done: Applied, table: Path) -> str:
    """What the next preparation will change."""
    if done.patch is None:
        return f"no new decision in {table} ({done.open:,} rows open)"
    return (
        f"{done.patch.path}: {done.relabelled:,} labels to change, {done.removed:,} pictures to leave out, "
        f"{done.refused:,} labels confirmed ({done.open:,} rows open)\n"
        f"next: wf prepare; wf suspects --undo {done.patch.number} takes it back"
    )

"""What to label next, in words."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow.curation.next import write_csv
from workflow.report.contact_sheet import sheets, write_named_sheets
from workflow.words import and_more, counted, joined, table

if TYPE_CHECKING:
    from workflow.curation.labelling import Labelled
    from workflow.curation.next import Next


_LISTED = 15  # pictures that are printed; --json and next.csv have all


def describe_applied(done: Labelled, table: Path) -> str:
    """The folders that the pictures were copied to, and the next command."""
    rest = f"{done.refused:,} refused, {done.open:,} open"
    undo = ""
    if done.patch is not None:
        new = counted(len(done.patch.corrections), "refused picture")
        undo = f"\nnot offered again: {new}; wf suspects --undo {done.patch.number} reverts it"
    if not done.copied:
        return f"no new picture decided in {table} ({done.present:,} already there, {rest}){undo}"
    counts = ", ".join(f"{count:,} {name}" for name, count in done.classes.items())
    folders = sorted({str(path.parent) for path in done.copied.values()})
    present = f", {done.present:,} already there" if done.present else ""
    return f"copied {counts} to {', '.join(folders)} ({rest}{present}){undo}\nnext: wf prepare"


def draw_next(found: Next, folder: Path, *, max_pixels: int) -> dict[str, Path]:
    """Write next.csv and the contact sheets with the numbers of its rows.

    Returns:
        `table`, and `sheet`, `sheet 2` …; nothing where there is no picture to label.

    Raises:
        OSError: as the operating system says it.
    """
    if not found.candidates:
        return {}
    table = folder / "next.csv"
    write_csv(table, found)
    entries = [(one.path, f"{row}. {one.caption}") for row, one in enumerate(found.candidates, start=1)]
    return {"table": table, **write_named_sheets(entries, folder / "next.png", max_pixels=max_pixels)}


def document(found: Next, pictures: Mapping[str, Path]) -> dict[str, Any]:
    """As `wf next --json` gives it."""
    return found.json() | ({"csv": pictures["table"], "sheets": sheets(pictures)} if pictures else {})


def describe(found: Next, pictures: Mapping[str, Path] | None = None) -> str:
    """The first pictures with their reasons, what was left out, and the files."""
    head = f"{len(found.candidates):,} of {found.count:,} pictures of {found.folder} to label next"
    shown = list(enumerate(found.candidates[:_LISTED], start=1))
    rows = [[f"{row}.", f"{one.score:.3f}", f"{one.suggested}?", one.path, one.reason] for row, one in shown]
    blocks = [[head, *table(rows, left=(2, 3, 4)), *and_more(len(found.candidates), _LISTED)]] if rows else [[head]]
    asked = "scored by: " + ", ".join(found.snapshots)
    refused = f", {found.refused:,} that you refused" if found.refused else ""
    left_out = f"left out: {found.known:,} that are in a generation, {found.twins:,} near-duplicates{refused}"
    blocks.append([asked, left_out])
    if rows:
        tally = Tally(one.suggested for one in found.candidates).most_common()
        blocks[-1].append("predicted: " + ", ".join(f"{count:,} {label}" for label, count in tally))
    if pictures:
        sheet_lines = [f"{'contact sheet':13}  {path}" for path in sheets(pictures)]
        blocks.append([f"{'table':13}  {pictures['table']}", *sheet_lines])
    if rows and pictures:
        blocks[-1].append("next: fill in `decision` (accept, refuse or a class), then")
        blocks[-1].append(f"  wf next --apply {pictures['table']}")
    return joined(blocks)

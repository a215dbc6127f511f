"""What to label next, in words."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.words import and_more, joined, table

if TYPE_CHECKING:
    from workflow.curation.labelling import Labelled
    from workflow.curation.next import Next


_LISTED = 15  # pictures that are printed; --json and next.csv have all


def describe_applied(done: Labelled, table: Path) -> str:
    """Where the pictures are now, and what to do next."""
    rest = f"{done.refused:,} refused, {done.open:,} open"
    if not done.copied:
        return f"no new picture decided in {table} ({done.present:,} in place already, {rest})"
    counts = ", ".join(f"{count:,} {name}" for name, count in done.classes.items())
    folders = sorted({str(path.parent) for path in done.copied.values()})
    present = f", {done.present:,} in place already" if done.present else ""
    return f"copied {counts} to {', '.join(folders)} ({rest}{present})\nnext: wf prepare"


def describe(found: Next, files: Sequence[Path] = ()) -> str:
    """The first of them with their reasons, what was passed over, and where everything is."""
    head = f"{len(found.candidates):,} of {found.count:,} pictures of {found.folder} to label next"
    shown = list(enumerate(found.candidates[:_LISTED], start=1))
    rows = [[f"{row}.", f"{one.score:.3f}", f"{one.suggested}?", one.path, one.reason] for row, one in shown]
    blocks = [[head, *table(rows, left=(2, 3, 4)), *and_more(len(found.candidates), _LISTED)]] if rows else [[head]]
    asked = "scored by: " + ", ".join(found.snapshots)
    blocks.append([asked, f"left out: {found.known:,} that are in a generation, {found.twins:,} near-duplicates"])
    if rows:
        tally = Tally(one.suggested for one in found.candidates).most_common()
        blocks[-1].append("predicted: " + ", ".join(f"{count:,} {label}" for label, count in tally))
    names = ["table", *["contact sheet"] * (len(files) - 1)]
    blocks.append([f"{name:13}  {path}" for name, path in zip(names, files, strict=False)])
    if rows and files:
        blocks[-1] += ["next: fill in `decision` (accept, refuse or a class), then", f"  wf next --apply {files[0]}"]
    return joined(blocks)

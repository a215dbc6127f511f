"""Doubtful labels in words."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.words import and_more, table

if TYPE_CHECKING:
    from workflow.curation.decisions import Applied
    from workflow.curation.suspects import Suspects


_LISTED = 15  # suspects that are printed; --json and the table have all


def describe(
    found: Suspects, listing: Path | None = None, twins: Path | None = None, sheets: Sequence[Path] = ()
) -> str:
    """How many there are, the most doubtful ones, and where the rest can be looked at."""
    splits = Tally(one.split for one in found.suspects)
    told = f" ({splits['train']:,} training, {splits['test']:,} test pictures)" if found.suspects else ""
    lines = [f"{found.snapshot}: {len(found.suspects):,} of {found.pictures:,} labels are doubtful{told}"]
    rows = [[f"{one.score:.4f}", one.label, one.suggested, str(one.picture.path)] for one in found.suspects[:_LISTED]]
    if rows:
        lines += [f"  {line}" for line in table([["doubt", "label", "suggested", "picture"], *rows], left=(1, 2, 3))]
    lines += [f"  {line}" for line in and_more(len(found.suspects), _LISTED)]
    if found.decided:
        lines.append(f"{found.decided:,} more were decided before")
    if found.twins:
        kinds = Tally(one.kind for one in found.twins)
        lines.append("near-duplicates: " + ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common()))
    if listing is None:
        return "\n".join(lines)
    lines.append("")
    lines += [f"contact sheet  {path}" for path in sheets]
    lines.append(f"table          {listing}")
    if found.twins:
        lines.append(f"near-duplicates  {twins}")
    if found.suspects:
        lines += [
            "next: fill in `decision` (accept, refuse, remove or a class), then",
            f"  wf suspects --apply {listing}",
        ]
    return "\n".join(lines)


def describe_applied(done: Applied, table: Path) -> str:
    """What the next preparation will do otherwise."""
    if done.patch is None:
        return f"no new decision in {table} ({done.open:,} rows open)"
    return (
        f"{done.patch.path}: {done.relabelled:,} labels to change, {done.removed:,} pictures to leave out, "
        f"{done.refused:,} labels confirmed ({done.open:,} rows open)\n"
        f"next: wf prepare; wf suspects --undo {done.patch.number} takes it back"
    )

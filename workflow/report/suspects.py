"""Doubtful labels in words."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.words import and_more

if TYPE_CHECKING:
    from workflow.curation.decisions import Applied
    from workflow.curation.suspects import Suspects


_LISTED = 15  # suspects that are printed; --json and the table have all


def describe(found: Suspects, table: Path | None = None, twins: Path | None = None, sheets: Sequence[Path] = ()) -> str:
    """How many there are, the most doubtful ones, and where the rest can be looked at."""
    splits = Tally(one.split for one in found.suspects)
    told = f" ({splits['train']:,} training, {splits['test']:,} test pictures)" if found.suspects else ""
    lines = [f"{found.snapshot}: {len(found.suspects):,} of {found.pictures:,} labels are doubtful{told}"]
    shown = found.suspects[:_LISTED]
    width = max((len(f"'{one.label}': '{one.suggested}'?") for one in shown), default=0)
    for one in shown:
        change = f"'{one.label}': '{one.suggested}'?"
        lines.append(f"  {one.score:.4f}  {change:{width}}  {one.picture.path}")
    lines += [f"  {line}" for line in and_more(len(found.suspects), _LISTED)]
    if found.decided:
        lines.append(f"{found.decided:,} more were decided before")
    if found.twins:
        kinds = Tally(one.kind for one in found.twins)
        lines.append("twins: " + ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common()))
    if table is None:
        return "\n".join(lines)
    lines.append("")
    lines += [f"contact sheet  {path}" for path in sheets]
    lines.append(f"table          {table}")
    if found.twins:
        lines.append(f"twins          {twins}")
    if found.suspects:
        lines.append(f"next: fill in `decision` (accept, refuse, remove or a class), then wf suspects --apply {table}")
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

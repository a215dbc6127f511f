"""The mistakes of a snapshot in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.words import and_more, joined, table

if TYPE_CHECKING:
    from workflow.evaluation.mistakes import Mistakes


_LISTED = 20  # mistakes and cells that are printed; --json has all


def describe(found: Mistakes, sheets: Sequence[Path] = (), links: Path | None = None) -> str:
    """How many there are of each kind, the most confident ones, and where they can be looked at."""
    head = f"{found.snapshot} on {found.exam}: {len(found.mistakes):,} of {found.pictures:,} wrong"
    if found.cell is not None:
        true, predicted = found.cell
        head = f"{found.snapshot} on {found.exam}: {len(found.mistakes):,} of '{true}' taken for '{predicted}'"
    if not found.mistakes:
        return head
    blocks = [[head]]
    if found.cell is None:
        cells = [[f"{true} -> {predicted}", f"{count:,}"] for (true, predicted), count in found.cells.items()]
        blocks.append([*table([["true -> predicted", "pictures"], *cells[:_LISTED]]), *and_more(len(cells), _LISTED)])
    rows = [[f"{one.true} -> {one.predicted}", f"{one.probability:.4f}", one.path] for one in found.mistakes[:_LISTED]]
    blocks.append([*table(rows, left=(0, 2)), *and_more(len(found.mistakes), _LISTED)])
    files = [f"contact sheet  {path}" for path in sheets] + ([f"links          {links}"] if links else [])
    return joined([*blocks, files])

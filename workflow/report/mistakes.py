"""The mistakes of a snapshot in words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow.evaluation.links import read_links
from workflow.report.contact_sheet import sheets, write_named_sheets
from workflow.words import and_more, joined, table

if TYPE_CHECKING:
    from workflow.evaluation.mistakes import Mistakes


_LISTED = 20  # mistakes and cells that are printed; --json has all


def draw_mistakes(found: Mistakes, folder: Path, name: str, *, top: int, max_pixels: int) -> dict[str, Path]:
    """Write the contact sheets: NAME.png, NAME-2.png and so on.

    Returns:
        `sheet`, `sheet 2` …, and `links`: the folder that `write_links` makes.

    Raises:
        OSError: as the operating system says it.
    """
    entries = [(one.path, one.caption) for one in found.mistakes[:top]]
    return {**write_named_sheets(entries, folder / f"{name}.png", max_pixels=max_pixels), "links": folder / "mistakes"}


def document(found: Mistakes, every: Mistakes, pictures: Mapping[str, Path]) -> dict[str, Any]:
    """As `wf mistakes --json` gives it.

    Args:
        found: those that are shown.
        every: all mistakes of the exam, which were linked.
        pictures: of `draw_mistakes`.
    """
    if not pictures:
        return found.json()
    linked = read_links(pictures["links"], every)
    shown = linked if found.cell is None else linked.within(found.cell)
    return shown.json() | {"sheets": sheets(pictures), "folder": pictures["links"]}


def describe(found: Mistakes, pictures: Mapping[str, Path] | None = None) -> str:
    """The number of mistakes of each kind, the most confident ones, and the files."""
    head = f"{found.snapshot} on {found.exam}: {len(found.mistakes):,} of {found.pictures:,} wrong"
    if found.cell is not None:
        true, predicted = found.cell
        head = f"{found.snapshot} on {found.exam}: {len(found.mistakes):,} of '{true}' predicted as '{predicted}'"
    if not found.mistakes:
        return head
    blocks = [[head]]
    if found.cell is None:
        cells = [[f"{true} -> {predicted}", f"{count:,}"] for (true, predicted), count in found.cells.items()]
        blocks.append([*table([["true -> predicted", "pictures"], *cells[:_LISTED]]), *and_more(len(cells), _LISTED)])
    rows = [[f"{one.true} -> {one.predicted}", f"{one.probability:.4f}", one.path] for one in found.mistakes[:_LISTED]]
    blocks.append([*table(rows, left=(0, 2)), *and_more(len(found.mistakes), _LISTED)])
    files = [f"contact sheet  {path}" for path in sheets(pictures or {})]
    files += [f"links          {pictures['links']}"] if pictures else []
    return joined([*blocks, files])

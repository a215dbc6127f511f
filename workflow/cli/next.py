"""wf next."""

from __future__ import annotations

from collections import Counter as Tally
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, Gen, Out
from workflow.cli.progress import Counter
from workflow.cli.table import table
from workflow.cli.viewer import show_pictures

if TYPE_CHECKING:
    from workflow.evaluation.next import Next

_LISTED = 15  # pictures that are printed; --json and next.csv have all


def next(  # the command's name is the function's
    call: Call,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Pictures that nobody has labelled yet.")],
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, help="How many to choose.")] = 50,
    gen: Gen = None,
    out: Out = None,
    show: Annotated[bool, typer.Option("--show", help="Open the contact sheets.")] = False,
) -> None:
    """Choose what to label next out of an unlabelled pile.

    Without those that a generation has already and without near-duplicates, an equal share for each predicted
    class. Writes next.csv and a contact sheet.

    wf next incoming/ --count 50
    """
    from workflow.evaluation.next import choose, write_csv  # numpy, scipy and Pillow, which --help does not need
    from workflow.evaluation.sheet import write_sheets

    settings = call.settings()
    with Counter(call.console, "looking", "pictures") as progress:
        found = choose(settings, folder, count=count, number=gen, progress=progress)
    target = out or found.target
    listing = target / "next.csv"
    write_csv(listing, found)
    entries = [(one.path, one.caption) for one in found.candidates]
    sheets = write_sheets(entries, target / "next.png", max_pixels=settings.prepare.max_pixels)
    call.console.result(found.json() | {"csv": listing, "sheets": sheets}, describe(found, [listing, *sheets]))
    call.console.skipped(found.skipped)
    if show:
        show_pictures(call.console, sheets)


def describe(found: Next, files: list[Path]) -> str:
    """The first of them with their reasons, what was passed over, and where everything is."""
    head = f"{len(found.candidates):,} of {found.count:,} pictures of {found.folder} to label next"
    rows = [[f"{one.score:.3f}", f"{one.suggested}?", one.path, one.reason] for one in found.candidates[:_LISTED]]
    more = len(found.candidates) - _LISTED
    blocks = [[head, *table(rows, left=(1, 2, 3)), *([f"and {more:,} more"] if more > 0 else [])]] if rows else [[head]]
    asked = "asked: " + ", ".join(found.snapshots)
    blocks.append(
        [asked, f"left out: {found.known:,} that a generation has, {found.twins:,} nearly the same as others"]
    )
    if rows:
        tally = Tally(one.suggested for one in found.candidates).most_common()
        blocks[-1].append("taken for: " + ", ".join(f"{count:,} {label}" for label, count in tally))
    blocks.append(list(map(str, files)))
    return "\n\n".join("\n".join(block) for block in blocks)

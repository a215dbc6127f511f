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
from workflow.errors import UsageError

if TYPE_CHECKING:
    from workflow.curation.labelling import Labelled
    from workflow.curation.next import Next

_LISTED = 15  # pictures that are printed; --json and next.csv have all


def next(  # the command's name is the function's
    call: Call,
    folder: Annotated[Path | None, typer.Argument(metavar="FOLDER", help="Pictures that have no label yet.")] = None,
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, help="How many to choose.")] = 50,
    gen: Gen = None,
    out: Out = None,
    apply: Annotated[
        Path | None,
        typer.Option("--apply", metavar="FILE", help="Copy the pictures decided in next.csv to their classes."),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Open the contact sheets.")] = False,
) -> None:
    """Choose what to label next out of an unlabelled pile.

    Without those that a generation has already and without near-duplicates, an equal share for each predicted
    class. Writes next.csv and a contact sheet with the numbers of its rows. Fill in the column `decision`: accept (the
    suggested class), refuse, or the name of a class. --apply copies the pictures to images/CLASS.

    wf next incoming/ --count 50
    wf next --apply next.csv
    """
    if apply is not None:
        if folder is not None:
            raise UsageError("FOLDER and --apply: one at a time")
        _apply(call, apply)
        return
    if folder is None:
        raise UsageError("missing argument 'FOLDER'", hint="wf next --help")
    from workflow.curation.labelling import check_free
    from workflow.curation.next import choose, write_csv  # numpy, scipy and Pillow, which --help does not need
    from workflow.report.contact_sheet import write_sheets

    settings = call.settings()
    with Counter(call.console, "looking", "pictures") as progress:
        found = choose(settings, folder, count=count, number=gen, progress=progress)
    target = out or found.target
    listing = target / "next.csv"
    check_free(listing)
    write_csv(listing, found)
    entries = [(one.path, f"{row}. {one.caption}") for row, one in enumerate(found.candidates, start=1)]
    sheets = write_sheets(entries, target / "next.png", max_pixels=settings.prepare.max_pixels)
    call.console.result(found.json() | {"csv": listing, "sheets": sheets}, describe(found, [listing, *sheets]))
    call.console.skipped(found.skipped)
    if show:
        show_pictures(call.console, sheets)


def _apply(call: Call, table: Path) -> None:
    from workflow.curation.labelling import apply  # numpy, which --help does not need

    done = apply(call.settings(), table)
    call.console.result(done.json(), describe_applied(done, table))
    call.console.skipped(done.skipped)


def describe_applied(done: Labelled, table: Path) -> str:
    """Where the pictures are now, and what to do next."""
    rest = f"{done.refused:,} refused, {done.open:,} open"
    if not done.copied:
        return f"no new picture decided in {table} ({done.present:,} in place already, {rest})"
    counts = ", ".join(f"{count:,} {name}" for name, count in done.classes.items())
    folders = sorted({str(path.parent) for path in done.copied.values()})
    present = f", {done.present:,} in place already" if done.present else ""
    return f"copied {counts} to {', '.join(folders)} ({rest}{present})\nnext: wf prepare"


def describe(found: Next, files: list[Path]) -> str:
    """The first of them with their reasons, what was passed over, and where everything is."""
    head = f"{len(found.candidates):,} of {found.count:,} pictures of {found.folder} to label next"
    shown = list(enumerate(found.candidates[:_LISTED], start=1))
    rows = [[f"{row}.", f"{one.score:.3f}", f"{one.suggested}?", one.path, one.reason] for row, one in shown]
    more = len(found.candidates) - _LISTED
    blocks = [[head, *table(rows, left=(2, 3, 4)), *([f"and {more:,} more"] if more > 0 else [])]] if rows else [[head]]
    asked = "asked: " + ", ".join(found.snapshots)
    blocks.append(
        [asked, f"left out: {found.known:,} that a generation has, {found.twins:,} nearly the same as others"]
    )
    if rows:
        tally = Tally(one.suggested for one in found.candidates).most_common()
        blocks[-1].append("taken for: " + ", ".join(f"{count:,} {label}" for label, count in tally))
    blocks.append(list(map(str, files)))
    if rows:
        blocks[-1].append(f"next: fill in `decision` (accept, refuse or a class), then wf next --apply {files[0]}")
    return "\n\n".join("\n".join(block) for block in blocks)

"""wf why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workflow.cli.options import Call, Engine, Out, Which
from workflow.cli.progress import Counter
from workflow.cli.table import table
from workflow.cli.viewer import show_pictures

if TYPE_CHECKING:
    from workflow.interpretation.attribution.logit_account import Entries, Ledger

_LISTED = 5  # channels for each side that are printed; --json has every entry


def why(
    call: Call,
    which: Which,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A picture file.")],
    label: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help="The class to explain (the one that it was given).")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="CLASS", help="The class to compare it with (the most probable other one)."),
    ] = None,
    nearest: Annotated[
        int, typer.Option("--nearest", metavar="N", min=0, help="How many training pictures near it to name.")
    ] = 8,
    metric: Annotated[Literal["l2", "cosine"], typer.Option("--metric", help="What near means.")] = "l2",
    out: Out = None,
    show: Annotated[bool, typer.Option("--show", help="Open the picture.")] = False,
    engine: Engine = None,
) -> None:
    """Account for the score of one picture, cell by cell.

    Beside it the training pictures that the net's filters take for most alike, and the generation that brought
    each in. The first call for a snapshot shows it all its training pictures once.

    wf why image.png
    wf why image.png --snapshot gen4/best --class cat --against other
    """
    from workflow.generations import generations
    from workflow.interpretation.attribution.logit_account import (
        folder,  # numpy, Pillow and matplotlib, which --help does not need
    )
    from workflow.interpretation.attribution.logit_account import why as explain
    from workflow.report.ledger import draw_ledger

    settings = call.settings()
    model = which.load(settings)
    with Counter(call.console, "looking at the training set", "pictures") as progress:
        ledger = explain(
            model,
            image,
            label=label,
            against=against,
            count=nearest,
            metric=metric,
            generations=generations(settings.generations),
            engine=engine,
            progress=progress,
        )
    picture = (out or folder(model, image)) / "ledger.png"
    draw_ledger(ledger, model, picture)
    call.console.result(ledger.json() | {"picture": picture}, describe(ledger, picture))
    if show:
        show_pictures(call.console, [picture])


def describe(ledger: Ledger, picture: Path) -> str:
    """Both logits, how they add up, the channels that did most, and the nearest training pictures."""
    one, other, difference = ledger.label, ledger.against, ledger.difference
    rows = [["", "probability", "logit", f"from {ledger.blob}", "bias"]]
    for account in (one, other):
        entries = float(account.contributions.sum())
        rows.append(
            [
                account.label,
                f"{account.probability:.4f}",
                *(f"{x:+.4f}" for x in (account.logit, entries, account.bias)),
            ]
        )
    blocks = [[f"{ledger.image} as {ledger.snapshot} sees it", *table(rows)]]
    blocks[0].append(f"sums to the logit within {ledger.sum_error:.0e}")
    if ledger.note:
        blocks.append([ledger.note])
    if not one.contributions.any() and not other.contributions.any():
        blocks.append([f"nothing in {ledger.blob} speaks for either: it is 0 throughout, and the biases decide"])
        return "\n\n".join("\n".join(block) for block in [*blocks, [f"picture  {picture}"]])
    sums = difference.sum((1, 2))
    order = sums.argsort(kind="stable")
    for account, channels in ((one, order[::-1][:_LISTED]), (other, order[:_LISTED])):
        cells = [_channel(difference[channel], int(channel), float(sums[channel])) for channel in channels]
        blocks.append([f"most for '{account.label}'", *table(cells, left=(0, 2))])
    if ledger.nearest:
        rows = [
            [
                f"{near.distance:.4g}",
                near.label or "?",
                "" if near.generation is None else f"gen{near.generation}",
                f"{near.path}{' (this very file)' if near.same else ''}",
            ]
            for near in ledger.nearest
        ]
        blocks.append(["nearest training pictures", *table(rows, left=(1, 2, 3))])
    blocks.append([f"picture  {picture}"])
    return "\n\n".join("\n".join(block) for block in blocks)


def _channel(cells: Entries, channel: int, total: float) -> list[str]:
    """A channel, what it gave, and the cell that did most of it."""
    if cells.size == 1:
        return [f"  unit {channel}", f"{total:+.4f}", ""]
    row, column = divmod(int((cells if total > 0 else -cells).argmax()), cells.shape[1])
    return [f"  channel {channel}", f"{total:+.4f}", f"most at row {row}, column {column}: {cells[row, column]:+.4f}"]

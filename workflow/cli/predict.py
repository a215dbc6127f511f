"""wf predict."""

from __future__ import annotations

from collections import Counter as Tally
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, Engine, IgnoreMismatch, Which, listed
from workflow.cli.progress import Counter

if TYPE_CHECKING:
    from workflow.inspection.predict import Predictions


def predict(
    call: Call,
    which: Which,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Pictures, or folders of them.")],
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write a table as well.")] = None,
    engine: Engine = None,
    ignore_mismatch: IgnoreMismatch = None,
) -> None:
    """Label pictures or whole folders.

    wf predict incoming/ --csv labels.csv
    wf predict a.png b.jpg --snapshot gen4/best
    """
    from workflow.inspection import predict as label

    model = which.load(call.settings())
    files = label.pictures(paths)
    with (
        model.open(engine, images=len(files), ignore=listed(ignore_mismatch)) as session,
        Counter(call.console, "labelling", "pictures") as progress,
    ):
        result = label.predict(model, session, files, progress=progress)
    if csv is not None:
        label.write_csv(csv, result)
    call.console.result(result.json(), describe(result))
    for one in result.skipped:
        call.console.warn(f"skipped {one.path}: it {one.reason}")


def describe(result: Predictions) -> str:
    """One line for each picture, and how many there are of each label."""
    width = max((len(one.label) for one in result.predictions), default=0)
    lines = [f"{one.label:{width}}  {one.probability:.4f}  {one.path}" for one in result.predictions]
    if len(lines) > 1:
        tally = Tally(one.label for one in result.predictions).most_common()
        lines.append(f"{result.snapshot}: " + ", ".join(f"{count:,} {label}" for label, count in tally))
    return "\n".join(lines)

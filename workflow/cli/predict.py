"""wf predict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, Engine, IgnoreMismatch, Which, listed
from workflow.cli.progress import Counter

if TYPE_CHECKING:
    pass


def predict(
    call: Call,
    which: Which,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Pictures, or folders of them.")],
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write a table as well.")] = None,
    sort: Annotated[
        Path | None,
        typer.Option(
            "--sort", metavar="DIR", help="Make folders DIR/CLASS/ of links to the pictures, most confident first."
        ),
    ] = None,
    copy: Annotated[bool, typer.Option("--copy", help="With --sort: make copies instead of links.")] = False,
    engine: Engine = None,
    ignore_mismatch: IgnoreMismatch = None,
) -> None:
    """Label pictures or whole folders.

    wf predict incoming/ --csv labels.csv
    wf predict incoming/ --sort sorted/
    wf predict a.png b.jpg --snapshot gen4/best
    """
    from workflow.errors import UsageError
    from workflow.exams import predict as label
    from workflow.report.predictions import describe

    if copy and sort is None:
        raise UsageError("--copy is about --sort", hint="--sort DIR --copy")
    model = which.load(call.settings())
    files = label.pictures(paths)
    with (
        model.open(engine, images=len(files), ignore=listed(ignore_mismatch)) as session,
        Counter(call.console, "labelling", "pictures") as progress,
    ):
        result = label.predict(model, session, files, progress=progress)
    if csv is not None:
        label.write_csv(csv, result)
    facts, text = result.json(), describe(result)
    if csv is not None:
        text += f"\ntable: {csv}"
    if sort is not None:
        from workflow.evaluation.links import class_folder, write_sorted

        surest = sorted(result.predictions, key=lambda one: -one.probability)
        links = write_sorted(sort, [(one.path, class_folder(one.label), one.probability) for one in surest], copy=copy)
        facts |= {"sorted": {str(one.path): link for one, link in zip(surest, links, strict=True)}}
        text += f"\n{'copies' if copy else 'links'} in folders of the classes, the surest first: {sort}"
    call.console.result(facts, text)
    for one in result.skipped:
        call.console.warn(f"skipped {one.path}: it {one.reason}")

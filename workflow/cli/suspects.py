"""wf suspects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, EvaluationOut, Gen, Snapshot
from workflow.cli.progress import Counter
from workflow.cli.viewer import show_pictures
from workflow.errors import UsageError

if TYPE_CHECKING:
    from workflow.config import Config


def suspects(
    call: Call,
    number: Annotated[
        int | None, typer.Argument(metavar="N", min=1, help="With --undo: number of the patch (default: the newest).")
    ] = None,
    snapshot: Snapshot = None,
    gen: Gen = None,
    top: Annotated[
        int | None, typer.Option("--top", metavar="N", min=1, help="Number of pictures to list (default: 6 % of them).")
    ] = None,
    out: EvaluationOut = None,
    apply: Annotated[
        Path | None,
        typer.Option("--apply", metavar="FILE", help="Apply the decisions filled in in suspects.csv."),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Revert applied decisions.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Open the contact sheets.")] = False,
) -> None:
    """List labels that are probably wrong, and near-duplicates.

    Writes suspects.csv, suspects.png and twins.csv. Fill in the column `decision`: accept (the suggested class),
    refuse, remove, or the name of a class. --apply makes the next `wf prepare` use the decisions; no picture is
    moved.

    wf suspects
    wf suspects --apply suspects.csv
    wf suspects --undo
    """
    settings = call.settings()
    if number is not None and not undo:
        raise UsageError(f"got '{number}', which belongs to --undo", hint=f"wf suspects --gen {number}, or --undo")
    if undo and apply is not None:
        raise UsageError("--apply and --undo: one at a time")
    if undo:
        _undo(call, settings, number)
    elif apply is not None:
        _apply(call, settings, apply)
    else:
        _find(call, settings, snapshot=snapshot, gen=gen, top=top, out=out, show=show)


def _find(
    call: Call,
    settings: Config,
    *,
    snapshot: str | None,
    gen: int | None,
    top: int | None,
    out: Path | None,
    show: bool,
) -> None:
    from workflow.curation import decisions  # numpy and Pillow, which --help does not need
    from workflow.curation import suspects as doubt
    from workflow.models import loading
    from workflow.report import contact_sheet
    from workflow.report.suspects import describe
    from workflow.storage import write_document

    model = loading.load(settings, snapshot=snapshot or ("live" if gen is None else "best"), number=gen)
    target = out or doubt.folder(model)
    table = target / "suspects.csv"
    decisions.check_free(settings.generations, table)
    with Counter(call.console, "looking", "pictures") as progress:
        found = doubt.suspects(settings, model, top=top, progress=progress)
    decisions.check_free(settings.generations, table)  # once more: it may have been filled in meanwhile
    decisions.write_suspects(table, found.suspects, project=found.project)
    decisions.write_twins(target / "twins.csv", found.twins, project=found.project)
    drawn = [(one.picture.path, f"{row}. {one.caption}") for row, one in enumerate(found.suspects, start=1)]
    sheets = contact_sheet.write_sheets(drawn, target / "suspects.png", max_pixels=model.max_pixels)
    files = {"csv": table, "twins_csv": target / "twins.csv", "sheets": sheets}
    document = found.json() | files
    write_document(doubt.folder(model) / "suspects.json", document)  # never elsewhere: wf report looks for it there
    call.console.result(document, describe(found, table, target / "twins.csv", sheets))
    if show:
        show_pictures(call.console, sheets)


def _apply(call: Call, settings: Config, table: Path) -> None:
    from workflow.curation.decisions import apply  # numpy, which --help does not need
    from workflow.report.suspects import describe_applied

    done = apply(settings, table)
    call.console.result(done.json(), describe_applied(done, table))


def _undo(call: Call, settings: Config, number: int | None) -> None:
    from workflow.data.corrections import undo

    patch = undo(settings.generations, number)
    document = {"undone": patch.number, "decisions": patch.count, "path": patch.path}
    text = f"patch {patch.name} taken back ({patch.count:,} decisions, kept in {patch.path})\nnext: wf prepare"
    call.console.result(document, text)

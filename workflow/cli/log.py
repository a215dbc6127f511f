"""wf log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call
from workflow.cli.progress import Counter
from workflow.cli.table import table
from workflow.cli.viewer import show_pictures

if TYPE_CHECKING:
    from workflow.config import Config
    from workflow.evaluation.history import Entry
    from workflow.generations import Generation


def log(
    call: Call,
    exam: Annotated[
        str | None,
        typer.Option(
            "--exam", metavar="GEN", help="Whose test set all are compared on (the newest's if not given); own: none."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder for trend.png (generations/ if not given).")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Open the trend picture.")] = False,
) -> None:
    """Show the chain of generations and what each one changed.

    Accuracies of different test sets cannot be compared, so each generation's best snapshot is asked about one of them.

    wf log
    wf log --exam gen5 --show
    """
    from workflow.evaluation.history import chain  # numpy and matplotlib, which --help does not need
    from workflow.report.trend import draw_trend

    settings = call.settings()
    with Counter(call.console, "evaluating", "pictures") as progress:
        posed = _posed(settings, exam)
        entries = chain(settings, exam=posed, progress=progress)
    picture = (out or settings.generations) / "trend.png"
    draw_trend(entries, picture, exam=posed.name if posed is not None else None)
    document = {
        "generations": [one.json() for one in entries],
        "exam": posed.name if posed is not None else None,
        "trend": picture,
    }
    call.console.result(document, describe(entries, picture, exam=posed.name if posed is not None else None))
    if show:
        show_pictures(call.console, [picture])


def _posed(settings: Config, exam: str | None) -> Generation | None:
    """Whose test set all are compared on; None for nobody's."""
    from workflow.evaluation.history import newest_exam
    from workflow.exams.choice import named

    if exam is None:
        return newest_exam(settings)
    return None if exam == "own" else named(settings, exam)


def describe(entries: Sequence[Entry], picture: Path, *, exam: str | None) -> str:
    """The newest first, as logs have it."""
    blocks = ["\n".join(_lines(one, exam)) for one in reversed(entries)]
    return "\n\n".join([*blocks, f"trend  {picture}"])


def _lines(one: Entry, exam: str | None) -> list[str]:
    record = one.record
    parent = f", after gen{record.parent}" if record.parent is not None else ""
    head = f"{one.generation.name}{parent}  {record.created[:16].replace('T', ' ')}"
    counts = ", ".join(f"{count:,} {split}" for split, count in one.counts.items())
    lines = [head, f"  pictures   {counts}{_changes(one)}", f"  classes    {_classes(one)}"]
    if record.snapshots:
        lines.append(f"  engine     {record.training.get('engine', 'unknown')}")
        lines += [
            f"  changed    from iteration {part['from']:,} on: {', '.join(part['changed'])}"
            for part in record.training.get("parts", ())
            if part["changed"]
        ]
        lines += [f"  {line}" for line in _snapshots(one)]
    else:
        lines.append("  no snapshot yet")
    if one.band is not None:
        low, high = one.band.range
        spread = f"{one.band.mean:.4f} ± {one.band.sd:.4f}, {low:.4f} to {high:.4f}"
        lines.append(f"  seeds      {spread} over {len(one.band.values)} of them")
    if one.sitting is not None:
        correct, count = one.sitting.score
        accuracy = f"{correct / count:.4f}" if count else "n/a"
        lines.append(f"  compared   {accuracy} of {count:,} test pictures of {exam}, by {one.sitting.snapshot}")
    return lines


def _changes(one: Entry) -> str:
    if one.changes is None:
        return " (what changed is not known: the data set of its parent, or its own, is gone)"
    changes = one.changes
    counts = {
        "added": changes.added,
        "removed": changes.removed,
        "relabelled": changes.relabelled,
        "moved to train": changes.to_train,
        "moved to test": changes.to_test,
    }
    named = [f"{len(found):,} {name}" for name, found in counts.items() if found]
    if one.record.parent is None:
        return ""
    return f" ({', '.join(named) or 'the same as before'})"


def _classes(one: Entry) -> str:
    names = []
    before = {new: old for old, new in one.renamed_classes.items()}
    for name in one.record.classes:
        was = f" (was {before[name]})" if name in before else ""
        names.append(f"{name}{was}{' (new)' if name in one.new_classes else ''}")
    return ", ".join([*names, *(f"{name} (gone)" for name in one.dropped_classes)])


def _snapshots(one: Entry) -> list[str]:
    best = one.record.best
    rows = []
    for snapshot in one.record.snapshots:
        accuracy = f"{snapshot.test_accuracy:.4f}" if snapshot.test_accuracy is not None else "not tested"
        remark = ""
        if snapshot is best and one.interval is not None:
            remark = f"best, 95 % {one.interval[0]:.4f} to {one.interval[1]:.4f}"
        rows.append([f"iter_{snapshot.iteration}", accuracy, remark])
    lines = table(rows, left=(0, 1, 2))
    return [f"{'snapshots' if not index else '':10} {line}" for index, line in enumerate(lines)]

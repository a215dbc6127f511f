"""wf diff."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, Out
from workflow.cli.progress import Counter
from workflow.cli.table import table
from workflow.cli.viewer import show_pictures

if TYPE_CHECKING:
    from workflow.evaluation.diff import Diff

_LISTED = 10  # pictures that are printed; --json and diff.csv have all


def diff(
    call: Call,
    before: Annotated[str, typer.Argument(metavar="BEFORE", help="gen4 (its best snapshot) or gen4/iter_6000.")],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="gen5, gen5/iter_6000, or a .caffemodel of ours.")],
    exam: Annotated[
        str | None,
        typer.Option("--exam", metavar="GEN", help="Whose test set both sit (the newer one's if not given)."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", metavar="DIR", help="Sit pictures in class folders instead.")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history/--no-history", help="Ask all generations for pictures that go to and fro.")
    ] = True,
    out: Out = None,
    show: Annotated[bool, typer.Option("--show", help="Open the contact sheet.")] = False,
) -> None:
    """Compare two snapshots: what is fixed, broken, still wrong.

    Pictures that either of the two was trained on are left out.

    wf diff gen4 gen5
    wf diff gen4/iter_6000 gen5/iter_6000 --exam gen4
    """
    from workflow.evaluation.diff import diff as compare
    from workflow.report import diff_files  # numpy and Pillow, which --help does not need

    settings = call.settings()
    with Counter(call.console, "evaluating", "pictures") as progress:
        found = compare(settings, before, after, exam=exam, folder=folder, history=history, progress=progress)
    target = out or found.folder
    files: Mapping[str, Path] = {}
    if target is not None:
        files = diff_files.write(target, found, max_pixels=settings.prepare.max_pixels)
    call.console.result(found.json() | {"files": files}, describe(found, files))
    if show and files:
        show_pictures(call.console, [files["sheet"]])


def describe(found: Diff, files: Mapping[str, Path]) -> str:
    """The verdict first, then the figures that it rests on, then where everything is."""
    blocks = [[found.verdict.words], _figures(found), _exam(found), _classes(found)]
    blocks += [_cases(found), _seeds(found), _history(found)]
    names = {"sheet": "contact sheet", "csv": "table", "json": "json"}
    blocks.append([f"{names[kind]:14} {files[kind]}" for kind in names if kind in files])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _figures(found: Diff) -> list[str]:
    one = found.comparison
    facts = one.json()
    rows = []
    for side, name, right in zip(("before", "after"), (one.before, one.after), one.right, strict=True):
        low, high = facts["interval"][side]
        rows.append([name, f"{right:,} right", f"{facts['accuracy'][side]:.4f}", f"95 % {low:.4f} to {high:.4f}"])
    low, high = facts["difference_interval"]
    rows.append(["difference", "", f"{one.difference:+.4f}", f"95 % {low:+.4f} to {high:+.4f}"])
    changed = f"{len(one.fixed):,} fixed, {len(one.broken):,} broken, {len(one.still_wrong):,} still wrong"
    return [f"{one.exam}: {_pictures(one.count)}, {changed}", *table(rows, left=(0, 3))]


def _exam(found: Diff) -> list[str]:
    """What the reader must know of the exam."""
    one = found.comparison
    lines = []
    if found.left_out:
        parts = [f"{count:,} in the training set of {name}" for name, count in found.excluded.items()]
        lines.append(f"left out: {_pictures(found.left_out)} of the exam, {', '.join(parts)}")
    if one.unpaired:
        lines.append(f"left out: {_pictures(one.unpaired)} that only one of the two could read")
    for own in found.own:
        relabelled = f", {own.relabelled:,} of them under another label" if own.relabelled else ""
        lines.append(
            f"{own.generation}'s own test set is another exam: {_pictures(own.pictures)}, "
            f"{own.shared:,} of them in this one{relabelled}; the accuracy it was recorded with is not to be compared"
        )
    for name, classes in one.unknown.items():
        listed = ", ".join(f"'{label}' ({_pictures(count)})" for label, count in classes.items())
        lines.append(f"{name} does not know {listed}: counted as wrong")
    return lines


def _classes(found: Diff) -> list[str]:
    rows = [["class", "pictures", "before", "after", "fixed", "broken", "p"]]
    for one in found.comparison.per_class:
        shares = (f"{one.before / one.count:.4f}", f"{one.after / one.count:.4f}")
        rows.append([one.name, f"{one.count:,}", *shares, f"{one.fixed:,}", f"{one.broken:,}", _chance(one.p_value)])
    return table(rows)


def _cases(found: Diff) -> list[str]:
    lines: list[str] = []
    for name, cases in (("fixed", found.comparison.fixed), ("broken", found.comparison.broken)):
        if not cases:
            continue
        rows = [
            [
                f"  {one.before} {one.before_probability:.2f}",
                f"-> {one.after} {one.after_probability:.2f}",
                one.path,
            ]
            for one in cases[:_LISTED]
        ]
        lines += [name, *table(rows, left=(0, 1, 2)), *_more(len(cases))]
    return lines


def _seeds(found: Diff) -> list[str]:
    rows = []
    for side, band in found.bands.items():
        name = found.comparison.before if side == "before" else found.comparison.after
        low, high = band.range
        spread = f"{band.mean:.4f} ± {band.sd:.4f}"
        rows.append([name, f"{len(band.values)} seeds", spread, f"{low:.4f} to {high:.4f}"])
    return ["seeds, on these pictures (mean ± sd, range)", *table(rows, left=(0, 1, 2, 3))] if rows else []


def _history(found: Diff) -> list[str]:
    if len(found.sittings) < 3:  # two generations cannot go to and fro
        return []
    names = [sitting.generation for sitting in found.sittings]
    rows = [["generation", *names], ["accuracy"], ["of pictures"]]
    for correct, count in (sitting.score for sitting in found.sittings):
        rows[1].append(f"{correct / count:.4f}" if count else "n/a")
        rows[2].append(f"{count:,}")
    lines = ["all generations, without what each was trained on or does not know", *table(rows)]
    lines.append(f"{_pictures(len(found.flips))} went to and fro between right (+) and wrong (-)")
    for flip in found.flips[:_LISTED]:
        marks = "".join("." if name not in flip.right else "+" if flip.right[name] else "-" for name in names)
        lines.append(f"  {marks}  {flip.truth}  {flip.path}")
    return [*lines, *_more(len(found.flips))]


def _chance(p_value: float) -> str:
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def _pictures(count: int) -> str:
    return f"{count:,} picture{'' if count == 1 else 's'}"


def _more(count: int) -> list[str]:
    return [f"  and {count - _LISTED:,} more"] if count > _LISTED else []

"""The files of `wf diff`: diff.png (fixed and broken pictures), diff.csv (all wrong answers), diff.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from workflow.config import MAX_PIXELS
from workflow.evaluation.comparison import Case, Comparison
from workflow.evaluation.diff import Diff
from workflow.fonts import draw_text, text_width
from workflow.report.contact_sheet import sheet
from workflow.storage import replacing, write_document, write_table
from workflow.words import and_more, counted, joined, table

_LISTED = 10  # pictures that are printed; --json and diff.csv have all

DRAWN = 50
"""The most pictures drawn, of the fixed and of the broken ones each."""
COLUMNS = ("change", "path", "sha256", "true", "before", "before_probability", "after", "after_probability")
"""The columns of diff.csv."""

_COLUMNS = 8  # pictures in a row
_HEAD = 34  # pixels of a heading
_LETTERS = 15
_INK, _PAPER = (46, 44, 58), (255, 255, 255)


def write_diff(folder: Path, found: Diff, *, max_pixels: int = MAX_PIXELS) -> dict[str, Path]:
    """Write the files, each whole or not at all; the folder is made.

    Returns:
        `json`, `csv` and `sheet` -> path.

    Raises:
        OSError: as the operating system says it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {"json": folder / "diff.json", "csv": folder / "diff.csv", "sheet": folder / "diff.png"}
    write_document(files["json"], found.json(), project=found.project)
    _write_csv(files["csv"], found.comparison, found.project)
    with replacing(files["sheet"]) as temporary:
        draw_diff(found.comparison, max_pixels=max_pixels).save(temporary, format="PNG", compress_level=3)
    return files


def draw_diff(one: Comparison, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The fixed pictures above, the broken ones below, those with the most confident wrong answer first."""
    parts = [
        (f"fixed: wrong in {one.before}, right in {one.after}", one.fixed),
        (f"broken: right in {one.before}, wrong in {one.after}", one.broken),
    ]
    boards = [_block(text, cases, max_pixels) for text, cases in parts]
    whole = Image.new("RGB", (max(board.width for board in boards), sum(board.height for board in boards)), _PAPER)
    top = 0
    for board in boards:
        whole.paste(board, (0, top))
        top += board.height
    return whole


def _block(text: str, cases: Sequence[Case], max_pixels: int) -> Image.Image:
    shown = cases[:DRAWN]
    heading = f"{text} ({counted(len(cases), 'picture')}"
    heading += f", {DRAWN} shown)" if len(cases) > DRAWN else ")"
    board = None
    if shown:
        board = sheet([(one.path, _caption(one)) for one in shown], columns=_COLUMNS, max_pixels=max_pixels)
    across = max(board.width if board is not None else 0, round(text_width(heading, _LETTERS)) + 16)
    block = Image.new("RGB", (across, _HEAD + (board.height if board is not None else 0)), _PAPER)
    draw_text(ImageDraw.Draw(block), (8, 8), heading, size=_LETTERS, fill=_INK)
    if board is not None:
        block.paste(board, (0, _HEAD))
    return block


def _caption(one: Case) -> str:
    """The true class and both predictions."""
    return f"is {one.truth}\n{one.before} {one.before_probability:.2f}\n-> {one.after} {one.after_probability:.2f}"


def _write_csv(path: Path, one: Comparison, project: Path) -> None:
    changes = {"fixed": one.fixed, "broken": one.broken, "still_wrong": one.still_wrong}
    rows = []
    for change, case in ((name, case) for name, cases in changes.items() for case in cases):
        before, after = f"{case.before_probability:.6g}", f"{case.after_probability:.6g}"
        rows.append((change, case.path, case.sha256, case.truth, case.before, before, case.after, after))
    write_table(path, COLUMNS, rows, project=project)


def describe(found: Diff, pictures: Mapping[str, Path] | None = None) -> str:
    """The verdict first, then the figures that it rests on, then where everything is."""
    blocks = [[found.verdict.words], _figures(found), _exam(found), _classes(found)]
    blocks += [_cases(found), _seeds(found), _history(found)]
    files = pictures or {}
    names = {"sheet": "contact sheet", "csv": "table", "json": "json"}
    blocks.append([f"{names[kind]:14} {files[kind]}" for kind in names if kind in files])
    return joined(blocks)


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
    return [f"{one.exam}: {counted(one.count, 'picture')}, {changed}", *table(rows, left=(0, 3))]


def _exam(found: Diff) -> list[str]:
    """What the reader should know about the exam."""
    one = found.comparison
    lines = []
    if found.left_out:
        parts = [f"{count:,} in the training set of {name}" for name, count in found.excluded.items()]
        lines.append(f"left out: {counted(found.left_out, 'picture')} of the exam, {', '.join(parts)}")
    if one.unpaired:
        lines.append(f"left out: {counted(one.unpaired, 'picture')} that could be read for only one of the two")
    for own in found.own:
        relabelled = f", {own.relabelled:,} of them under another label" if own.relabelled else ""
        lines.append(
            f"{own.generation}'s own test set is a different exam: {counted(own.pictures, 'picture')}, "
            f"{'all' if own.shared == own.pictures else f'{own.shared:,}'} of them in this one{relabelled}; "
            "its recorded accuracy cannot be compared with these"
        )
    for name, classes in one.unknown.items():
        listed = ", ".join(f"'{label}' ({counted(count, 'picture')})" for label, count in classes.items())
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
        lines += [name, *table(rows, left=(0, 1, 2)), *and_more(len(cases), _LISTED)]
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
    if len(found.sittings) < 3:  # with two generations no picture can change twice
        return []
    names = [sitting.generation for sitting in found.sittings]
    rows = [["generation", *names], ["accuracy"], ["of pictures"]]
    for correct, count in (sitting.score for sitting in found.sittings):
        rows[1].append(f"{correct / count:.4f}" if count else "n/a")
        rows[2].append(f"{count:,}")
    lines = ["all generations, without the training pictures and unknown classes of each", *table(rows)]
    lines.append(f"{counted(len(found.flips), 'picture')} changed between right (+) and wrong (-) more than once")
    for flip in found.flips[:_LISTED]:
        marks = "".join("." if name not in flip.right else "+" if flip.right[name] else "-" for name in names)
        lines.append(f"  {marks}  {flip.truth}  {flip.path}")
    return [*lines, *and_more(len(found.flips), _LISTED)]


def _chance(p_value: float) -> str:
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"

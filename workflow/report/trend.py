"""trend.png: the accuracy of all generations with intervals, above the numbers of their pictures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow.evaluation.history import Entry
from workflow.evaluation.metrics import interval
from workflow.report.canvas import INK, marked, new_figure, save
from workflow.version import __version__
from workflow.words import CHOSEN_BY_TEST, drawn, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BLUE, _RED, _PALE = "#2f6fb0", "#d1495b", "#a9c3df"
_BARS: dict[str, dict[str, Any]] = {
    "train": {"color": _PALE},
    "validation": {"color": _BLUE, "alpha": 0.55},
    "test": {"color": _RED, "alpha": 0.55},
}
_APART = 0.06  # between the two series, so that their bars do not hide each other
_Point = tuple[float, float, tuple[float, float]]


def draw_trend(entries: Sequence[Entry], out: Path, *, exam: str | None = None) -> None:
    """Draw the chain of generations; the picture replaces an older one in one step, unless that shows the same.

    Each point is a generation's best snapshot, its bar the 95 % interval (Wilson). A line joins only what was found on
    one exam; the accuracies of own test sets are dots. Other seeds are small rings, with mean ± sd as a pale stripe.

    Args:
        entries: oldest first, as `history.chain` gives them.
        out: the PNG to write; folders are made.
        exam: `gen5`, where the entries carry what each said of that generation's test set.

    Raises:
        OSError: as the operating system says it.
    """
    mark = _mark(entries, exam)
    if marked(out, mark):  # drawing takes five times as long as all the rest of `wf log`
        return
    width = max(6.0, min(16.0, 2.5 + 0.9 * len(entries)))
    figure = new_figure(width, 6, dpi=110)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _draw_accuracy(above, entries, exam)
    if above.get_legend_handles_labels()[0]:
        figure.legend(*above.get_legend_handles_labels(), frameon=False, loc="outside upper left", fontsize=9)
    _draw_pictures(below, entries)
    places = range(len(entries))
    below.set_xticks(places, [one.generation.name for one in entries], rotation=0 if len(entries) <= 12 else 90)
    below.set_xlim(-0.6, len(entries) - 0.4)
    for panel in (above, below):
        panel.grid(alpha=0.3, axis="y")
        panel.spines[["top", "right"]].set_visible(False)
    save(figure, out, mark=mark)


def _mark(entries: Sequence[Entry], exam: str | None) -> str:
    """A digest of all that the picture shows."""
    shown = [(one.generation.name, one.counts, one.json()) for one in entries]
    return hashlib.sha256(json.dumps([__version__, exam, shown], default=str).encode()).hexdigest()


def _draw_accuracy(panel: Axes, entries: Sequence[Entry], exam: str | None) -> None:
    own = [
        (float(place), one.accuracy, one.interval)
        for place, one in enumerate(entries)
        if one.accuracy is not None and one.interval is not None
    ]
    same = [
        (place + _APART, correct / count, interval(correct, count))
        for place, one in enumerate(entries)
        if one.sitting is not None
        for correct, count in (one.sitting.score,)
        if count
    ]
    low = min((span[0] for _, _, span in own + same), default=0.0)
    panel.set_ylim(max(0.0, low - 0.05), 1.02)
    panel.set_ylabel("accuracy of the best snapshot (share right)")
    if not own + same:
        panel.text(0.5, 0.5, "no snapshot was tested yet", transform=panel.transAxes, ha="center", color=INK)
        return
    _draw_seeds(panel, entries)
    _draw_points(panel, own, _BLUE, "on its own test set, 95 % interval", behind=exam is not None)
    if exam is not None:
        counts = {one.sitting.score[1] for one in entries if one.sitting is not None}
        alike = len(counts) == 1
        told = f"{max(counts):,} pictures for all" if alike else "without what each was trained on"
        _draw_points(panel, same, _RED, f"test set of {exam}, {told}", behind=False, joined=alike)


def _draw_points(
    panel: Axes, points: Sequence[_Point], colour: str, label: str, *, behind: bool, joined: bool = False
) -> None:
    if not points:
        return
    places, values, spans = zip(*points, strict=True)
    errors = [[value - low for value, (low, _) in zip(values, spans, strict=True)]]
    errors.append([high - value for value, (_, high) in zip(values, spans, strict=True)])
    panel.errorbar(
        places, values, yerr=errors, fmt="o-" if joined else "o", color=colour, capsize=4, markersize=5, label=label
    )
    for place, value in zip(places, values, strict=True):
        panel.annotate(
            f"{value:.3f}",
            (place, value),
            xytext=(-6, 5) if behind else (7, 5),
            textcoords="offset points",
            ha="right" if behind else "left",
            color=colour,
            fontsize=9,
        )


def _draw_seeds(panel: Axes, entries: Sequence[Entry]) -> None:
    label: str | None = "other seeds, mean ± sd"
    for place, one in enumerate(entries):
        if one.band is None:
            continue
        mean, sd = one.band.mean, one.band.sd
        panel.fill_between([place - 0.22, place + 0.22], mean - sd, mean + sd, color=_PALE, alpha=0.6, label=label)
        others = list(one.band.values.values())[1:]
        panel.plot([place] * len(others), others, "o", markerfacecolor="none", color=_BLUE, markersize=4)
        label = None


def _draw_pictures(panel: Axes, entries: Sequence[Entry]) -> None:
    places, below = range(len(entries)), [0] * len(entries)
    for split, look in _BARS.items():
        counts = [one.counts.get(split, 0) for one in entries]
        if any(counts):
            panel.bar(places, counts, width=0.5, bottom=below, label=split, **look)
        below = [sum(pair) for pair in zip(below, counts, strict=True)]
    panel.set_ylabel("pictures")
    panel.yaxis.set_major_formatter("{x:,.0f}")
    panel.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(0, 1.3), ncols=3)


def describe(entries: Sequence[Entry], pictures: Mapping[str, Path] | None = None, *, exam: str | None) -> str:
    """The newest first, as logs have it."""
    blocks = ["\n".join(_lines(one, exam)) for one in reversed(entries)]
    return "\n\n".join([*blocks, *drawn(pictures)])


def _lines(one: Entry, exam: str | None) -> list[str]:
    record = one.record
    parent = f", after gen{record.parent}" if record.parent is not None else ""
    head = f"{one.generation.name}{parent}  {record.created[:16].replace('T', ' ')}"
    counts = ", ".join(f"{count:,} {split}" for split, count in one.counts.items())
    lines = [head, f"  pictures   {counts}{_changes(one)}", f"  classes    {_classes(one)}"]
    if record.snapshots:
        lines.append(f"  engine     {record.training.engine or 'unknown'}")
        lines += [
            f"  changed    from iteration {part['from']:,} on: {', '.join(part['changed'])}"
            for part in record.training.parts or ()
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
        "added": sum(changes.added.values()),
        "removed": len(changes.removed),
        "relabelled": len(changes.relabelled),
        "moved to train": changes.to_train,
        "moved to validation": changes.to_validation,
        "moved to test": changes.to_test,
    }
    named = [f"{found:,} {name}" for name, found in counts.items() if found]
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
    best, split = one.record.best, one.record.solver_split
    rows = []
    for snapshot in one.record.snapshots:
        found, _ = snapshot.tested(split)
        accuracy = "not tested" if found is None else f"{found:.4f}" if split == "test" else f"{split} {found:.4f}"
        rows.append([f"iter_{snapshot.iteration}", accuracy, _best(one) if snapshot is best else ""])
    lines = table(rows, left=(0, 1, 2))
    if one.record.chosen_by_test:
        lines.append(CHOSEN_BY_TEST)
    return [f"{'snapshots' if not index else '':10} {line}" for index, line in enumerate(lines)]


def _best(one: Entry) -> str:
    if one.accuracy is None or one.interval is None:
        return "best"
    tested = "" if one.record.solver_split == "test" else f" test {one.accuracy:.4f},"
    return f"best,{tested} 95 % {one.interval[0]:.4f} to {one.interval[1]:.4f}"

"""junk.png: the false-accept rate at each threshold, by generation, and by class of the newest one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workflow.evaluation.acceptance import THRESHOLDS, Scores
from workflow.evaluation.junk import Junk
from workflow.report.canvas import INK, new_figure, save, set_title, shortened
from workflow.report.contact_sheet import write_named_sheets
from workflow.storage import write_document
from workflow.words import and_more, drawn, joined, share, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LISTED = 10  # absurdities that are printed; --json has all

_GREEN = "#2e8b57"
_CLASSES = 10  # curves of classes: those that accept most
_CLOSEST = 1e-5  # the axis ends this far from 1
_TICKS = (0, 0.5, 0.9, 0.99, 0.999, 0.9999)


def draw_junk(found: Junk, out: Path) -> None:
    """Draw the curves.

    Args:
        found: of `junk`.
        out: the PNG to write; folders are made.

    Raises:
        OSError: as the operating system says it.
    """
    several = len(found.newest.positives) > 1
    figure = new_figure(15 if several else 9, 5.2, dpi=100)
    panels = figure.subplots(1, 1 + several, squeeze=False)[0]
    _draw_generations(panels[0], found)
    if several:
        _draw_classes(panels[1], found)
    for panel in panels:
        _finish(panel, found)
    names = ", ".join(f"'{name}'" for name in found.newest.positives[:3]) + (", …" if several else "")
    what = f"any class ({names})" if several else names
    set_title(figure, (f"{found.count:,} junk pictures labelled {what}"))
    save(figure, out)


def draw_all(found: Junk, folder: Path, *, sheet: int, max_pixels: int, project: Path) -> dict[str, Path]:
    """Write the curves, the contact sheet of the first `sheet` absurdities, and junk.json for `wf report`.

    Returns:
        `curve`, and `sheet` where there are absurdities.

    Raises:
        OSError: as the operating system says it.
    """
    files = {"curve": folder / "junk.png"}
    draw_junk(found, files["curve"])
    entries = [(one.path, one.caption) for one in found.absurdities[:sheet]]
    files |= write_named_sheets(entries, folder / "absurdities.png", max_pixels=max_pixels)
    home = found.target / "junk.json"  # never elsewhere: wf report looks for it there
    write_document(home, document(found, files), project=project)
    return files


def document(found: Junk, pictures: Mapping[str, Path]) -> dict[str, Any]:
    """As `wf junk --json` gives it."""
    return found.json() | ({"picture": pictures["curve"], "pictures": dict(pictures)} if pictures else {})


def _draw_generations(panel: Axes, found: Junk) -> None:
    from matplotlib import colormaps

    shades = colormaps["Blues"](np.linspace(0.95, 0.35, len(found.scores))[::-1])  # the newest is the darkest
    newest = found.newest
    for shade, one in zip(shades, found.scores, strict=True):
        width, words = (2.2, ": junk accepted") if one is newest else (1.3, "")
        panel.step(
            *_share_above(one.scores), where="pre", color=shade, linewidth=width, label=f"{one.generation}{words}"
        )
    if len(newest.own):
        panel.step(
            *_share_above(newest.own), where="pre", color=_GREEN, linestyle="--", label=f"{newest.generation}: recall"
        )
    if newest.kept is not None and not newest.enough:
        panel.axvline(newest.kept.threshold, color=INK, linestyle=":", linewidth=1)
        right = newest.kept.threshold > 0.999
        panel.annotate(
            f"from {newest.kept.threshold:g} on:\n{newest.kept.rate:.2%} of the junk"
            + (f"\nrecall {newest.kept.recall:.2%}" if newest.kept.recall is not None else ""),
            (min(newest.kept.threshold, 1 - _CLOSEST), found.max_rate),
            xytext=(-6 if right else 6, 8),
            textcoords="offset points",
            ha="right" if right else "left",
            va="bottom",
            fontsize=9,
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
        )
    panel.set_title("every generation's best snapshot", fontsize=10, color=INK)


def _draw_classes(panel: Axes, found: Junk) -> None:
    newest = found.newest
    rates = (newest.each >= newest.now.threshold).mean(0)
    for index in np.argsort(-rates, kind="stable")[:_CLASSES].tolist():
        name = newest.positives[index]
        label = f"{shortened(name, 20)}: {rates[index]:.1%}"
        panel.step(*_share_above(newest.each[:, index]), where="pre", linewidth=1.3, label=label)
    panel.set_title(
        f"{newest.generation}, class by class (share accepted from {newest.now.threshold:g} on)",
        fontsize=10,
        color=INK,
    )


def _finish(panel: Axes, found: Junk) -> None:
    from matplotlib.ticker import PercentFormatter

    panel.axhline(found.max_rate, color="#b2182b", linewidth=0.9)
    panel.set_yscale("symlog", linthresh=max(found.max_rate, 1 / found.count), linscale=0.5)
    panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=None))
    ticks = sorted({0.0, found.max_rate, 0.1, 0.5, 1.0})
    panel.set_yticks(ticks, [f"{tick:.3g}" if tick < 0.001 else f"{tick:.1%}" for tick in ticks])
    panel.minorticks_off()
    panel.set_ylim(0, 1.1)
    panel.set_xscale("function", functions=(_nines, lambda x: 1 - 10.0**-x))
    panel.set_xticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    panel.set_xlim(0, 1 - _CLOSEST)
    panel.set_xlabel("threshold (probability; the axis is stretched towards 1)")
    panel.set_ylabel("share accepted")
    panel.grid(alpha=0.25)
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))


def _nines(thresholds: Scores) -> Scores:
    """A scale with 0, 0.9, 0.99, 0.999 evenly spaced: the interesting thresholds are close to 1."""
    places: Scores = -np.log10(np.clip(1 - np.asarray(thresholds), _CLOSEST, None))
    return places


def _share_above(scores: Scores) -> tuple[Sequence[float], Sequence[float]]:
    """The share of scores that reach a threshold, where it changes: x ascending from 0 to 1, y for `where="pre"`."""
    values, counts = np.unique(scores, return_counts=True)
    reached = counts[::-1].cumsum()[::-1] / len(scores)  # share >= each value
    return [0.0, *values.tolist(), 1.0], [1.0, *reached.tolist(), float((scores >= 1).mean())]


def describe(found: Junk, pictures: Mapping[str, Path] | None = None) -> str:
    """Each generation, the newest one's thresholds, the kinds of junk, the absurdities, and where the pictures are."""
    names = ", ".join(f"'{name}'" for name in found.newest.positives)
    blocks = [[f"{found.count:,} pictures of {found.folder}; accepted means labelled {names}"]]
    rows = [
        [
            "snapshot",
            f"accepted at {found.newest.now.threshold:g}",
            "recall",
            f"threshold for {found.max_rate:.3g}",
            "recall",
        ]
    ]
    for one in found.scores:
        kept = one.kept
        limit = ["never", ""] if kept is None else [f"{kept.threshold:.7g}", share(kept.recall, percent=True)]
        if one.enough:
            limit = [f"{one.now.threshold:g}", share(one.now.recall, percent=True)]
        rows.append([one.snapshot, share(one.now.rate, percent=True), share(one.now.recall, percent=True), *limit])
    blocks.append(table(rows))
    rows = [["threshold", "accepted", "rate", "recall"]]
    for point in map(found.newest.at, THRESHOLDS):
        rows.append(
            [
                f"{point.threshold:g}",
                f"{point.accepted:,}",
                share(point.rate, percent=True),
                share(point.recall, percent=True),
            ]
        )
    blocks.append([f"{found.newest.snapshot} at other thresholds", *table(rows)])
    if found.kinds:
        rows = [["kind", "accepted", "of"], *([name, f"{a:,}", f"{b:,}"] for name, (a, b) in found.kinds.items())]
        blocks.append(table(rows))
    if found.absurdities:
        new = sum(one.new for one in found.absurdities)
        rows = [
            [f"{one.probability:.4f}", one.label, "" if one.before is None else f"before {one.before:.4f}", one.path]
            for one in found.absurdities[:_LISTED]
        ]
        head = f"{len(found.absurdities):,} accepted by {found.newest.snapshot}"
        if len(found.scores) > 1:
            head += f", {new:,} of them new: {found.scores[-2].snapshot} refused them"
        blocks.append([head, *table(rows, left=(1, 2, 3)), *and_more(len(found.absurdities), _LISTED)])
    return joined([*blocks, drawn(pictures)])

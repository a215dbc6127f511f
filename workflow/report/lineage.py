"""film.gif and film.png over generations: a column for each, channels in the order of the newest one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workflow.data.channel_order import to_rgb
from workflow.report.canvas import INK, frames, save, save_film, shortened, tiled
from workflow.report.film import LAST, MILLISECONDS
from workflow.report.sheet import Sheet, widest
from workflow.words import drawn, joined, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from workflow.interpretation.activations.generations_film import Lineage

_CLASSES = 5

_BAR, _UNMATCHED, _BETWEEN = "#4a6fa5", "#b4b4b4", "#eceef4"
_LEAST = 6  # drawn pixels of a tile's side
_COLUMNS = 8  # generations in the strip, first and newest among them
_CURVES = 5  # classes that are drawn: those that ever were the most probable
_BARS = 8  # classes of a blob that has one number for each
_LETTERS = 18  # of a class's name
_COLUMN, _SIDE = 2.3, 1.95  # inches of a column, and of a board in it; as are the following
_WIDTH = 8.0  # at least
_BETWEEN_ROWS, _UNDER_CURVES = 0.5, 0.85  # below a panel, up to the next one
_PICTURE, _CURVES_HEIGHT = 1.0, 1.0
_MARGIN = 0.5  # of rows with numbers
_FRAME, _FRAME_TOP, _FRAME_PITCH = 2.6, 2.85, 3.0  # the boards of a frame
_WITHIN = 99.5  # per cent of the values that a colour scale takes in


def draw_lineage(found: Lineage, folder: Path) -> dict[str, Path]:
    """Write the film, a frame for each generation, and the strip, a column for each.

    Each generation's blob has a colour scale of its own, since nets that were trained apart differ in gain; signed ones
    diverge from 0, others begin there. A grey tile is a channel without a counterpart.

    Args:
        found: of `interpretation.activations.generations_film.trace`.
        folder: where to; it is made.

    Returns:
        `film` and `strip` -> their paths.

    Raises:
        OSError: as the operating system says it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {"film": folder / "film.gif", "strip": folder / "film.png"}
    count = len(found.columns)
    shown = sorted(set(np.linspace(0, count - 1, _COLUMNS).round().astype(int).tolist()))
    save(_strip(found, shown), paths["strip"])
    pages = (_frame(found, column) for column in range(count))
    save_film(frames(pages), paths["film"], milliseconds=2 * MILLISECONDS, last=LAST)
    return paths


def _strip(found: Lineage, shown: list[int]) -> Figure:
    left, legend = _names(found) + 0.3, _legend(found)
    width = max(_WIDTH, _COLUMN * len(shown) + 0.9)
    pitch = (width - left - legend) / len(shown)
    inside = pitch - (_COLUMN - _SIDE)
    top = 0.1 + _CURVES_HEIGHT + _UNDER_CURVES
    heights = [_height(found, blob) + _BETWEEN_ROWS for blob in found.maps]
    title = f"{found.image.name} through {len(found.columns)} generations"
    below = top + _PICTURE + _BETWEEN_ROWS
    sheet = Sheet(width, below + sum(heights) - 0.1, title, note=_note(found))
    _draw_curves(sheet.panel(left, 0.1, pitch * (len(shown) - 1) + inside, _CURVES_HEIGHT), found, None)
    for place, column in enumerate(shown):
        at = left + place * pitch
        _draw_picture(sheet.panel(at, top, inside, _PICTURE), found, column)
        for row, blob in enumerate(found.maps):
            panel = sheet.panel(at, below + sum(heights[:row]), inside, heights[row] - _BETWEEN_ROWS)
            _draw_blob(panel, found, blob, column)
            if place == 0:
                panel.set_ylabel(blob, fontsize=8, color=INK)
                _number_rows(panel, found, blob)
            elif blob in found.named:
                panel.tick_params(labelleft=False)  # long names would leave no room for the columns
    return sheet.figure


def _frame(found: Lineage, column: int) -> Figure:
    width = max(_WIDTH, _FRAME_PITCH * len(found.maps))
    title = f"{shortened(found.image.name, 36)} in {found.columns[column].snapshot}"  # one line in every frame
    sheet = Sheet(width, _FRAME_TOP + _FRAME + 0.3, title, note=_note(found), dpi=80)
    _draw_picture(sheet.panel(0.1, 0.4, 1.8, 1.4), found, column)
    _draw_curves(sheet.panel(2.5, 0.1, width - 2.5 - _legend(found), 1.7), found, column)
    pitch = width / len(found.maps)
    for place, blob in enumerate(found.maps):
        before = _names(found) + 0.1 if blob in found.named else _MARGIN
        panel = sheet.panel(place * pitch + before, _FRAME_TOP, pitch - before - 0.1, _FRAME)
        _draw_blob(panel, found, blob, column)
        panel.set_title("\n".join(filter(None, (blob, panel.get_title()))), fontsize=9, color=INK)
        _number_rows(panel, found, blob)
    return sheet.figure


def _note(found: Lineage) -> str:
    newest = f"gen{found.reference.generation}"
    note = f"channels in the order of {newest}; each generation on colour scales of its own; grey: unmatched"
    return note if found.named != set(found.maps) else ""


def _names(found: Lineage) -> float:
    """Inches before the panels for the names of classes and for the numbers of rows."""
    return max(_MARGIN, 0.1 + widest((shortened(name, _LETTERS) for name in found.reference.classes), 7))


def _legend(found: Lineage) -> float:
    """Inches behind the curves."""
    return 0.65 + widest((shortened(name, _LETTERS) for name in found.classes), 7)


def _height(found: Lineage, blob: str) -> float:
    """Inches of a blob's panel: as high as its board of tiles is at that width, or a line for each class."""
    count = found.shown(blob)
    if blob in found.named:
        return 0.19 * min(count, _BARS)
    side = math.ceil(math.sqrt(count))
    height, width = _enlarged(found.maps[blob][0]).shape[1:]
    tall: float = _SIDE * math.ceil(count / side) * (height + 1) / (side * (width + 1))
    return min(3.0, tall)


def _scale(maps: NDArray[np.float32]) -> tuple[float, float]:
    """Least and greatest value of a colour scale; a few values beyond it do not make all others pale."""
    values = np.abs(maps[~np.isnan(maps)])
    if not values.size:
        return 0.0, 1.0
    most = float(np.percentile(values, _WITHIN)) or float(values.max()) or 1.0
    return -most if bool((maps < 0).any()) else 0.0, most


def _draw_blob(panel: Axes, found: Lineage, blob: str, column: int) -> None:
    from matplotlib.colors import ListedColormap  # as Figure

    if blob in found.named:
        _draw_classes(panel, found, blob, column)
        return
    maps = found.maps[blob][column, : found.shown(blob)]
    least, most = _scale(maps)
    missing = np.zeros_like(maps)
    missing[~np.isnan(maps).all(axis=(1, 2))] = np.nan
    colours = "RdBu_r" if least < 0 else "inferno"
    panel.imshow(tiled(_enlarged(missing)), cmap=ListedColormap([_UNMATCHED]), interpolation="nearest")
    panel.imshow(tiled(_enlarged(maps)), cmap=colours, vmin=least, vmax=most, interpolation="nearest")
    panel.set_facecolor(_BETWEEN)
    panel.set_xticks([])
    panel.set_yticks([])
    ends = "" if np.isnan(maps).all() else f"\n{least:.3g} to {most:.3g}"
    panel.set_title(f"{_matched(found, blob, column)}{ends}", fontsize=8, color=INK)


def _enlarged(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Small maps (n, h, w) with each value repeated, so tiles are wider than the lines between them."""
    factor = math.ceil(_LEAST / max(maps.shape[1:]))
    return maps.repeat(factor, axis=1).repeat(factor, axis=2)


def _number_rows(panel: Axes, found: Lineage, blob: str) -> None:
    """Say which of the reference's channels stand in each row of tiles."""
    if blob in found.named:
        return
    count, height = found.shown(blob), _enlarged(found.maps[blob][0]).shape[1]
    side = math.ceil(math.sqrt(count))
    starts = range(0, count, side)
    ends = [min(start + side, count) - 1 for start in starts]
    words = [f"{start}–{end}" if end > start else str(start) for start, end in zip(starts, ends, strict=True)]
    panel.set_yticks([row * (height + 1) + (height - 1) / 2 for row in range(len(words))], words, fontsize=6)
    panel.tick_params(axis="y", length=0)


def _matched(found: Lineage, blob: str, column: int) -> str:
    if column == len(found.columns) - 1:
        return f"{found.maps[blob].shape[1]} channels"
    matches = found.matches[blob][column]
    if (reason := matches[0].reason) in ("no blob", "other size"):
        return {"no blob": "no such blob", "other size": "maps of another size"}[str(reason)]
    return f"{sum(one.channel is not None for one in matches)} of {len(matches)} matched"


def _draw_classes(panel: Axes, found: Lineage, blob: str, column: int) -> None:
    values = found.maps[blob][:, :, 0, 0]
    order = np.nanmax(values, axis=0).argsort(kind="stable")[::-1][:_BARS]
    mine = values[column, order]
    most, least = float(np.nanmax(values)), min(0.0, float(np.nanmin(values)))
    most = 1.0 if least == 0 and 0 < most <= 1 else most  # probabilities
    rows = np.arange(len(order))
    panel.barh(rows, np.nan_to_num(mine), color=_BAR, height=0.7)
    for row in np.flatnonzero(np.isnan(mine)).tolist():
        panel.text(0.03, row, "absent", fontsize=7, color=INK, va="center", transform=panel.get_yaxis_transform())
        panel.axhspan(row - 0.4, row + 0.4, color=_UNMATCHED, linewidth=0)
    panel.set_yticks(rows, [shortened(found.reference.classes[number], _LETTERS) for number in order], fontsize=7)
    panel.set_xlim(least, max(most, 0.0) if most > 0 or least < 0 else 1.0)
    panel.set_ylim(len(order) - 0.4, -0.6)
    panel.tick_params(labelsize=7, length=2)
    panel.spines[["top", "right"]].set_visible(False)


def _draw_picture(panel: Axes, found: Lineage, column: int) -> None:
    one = found.columns[column]
    panel.imshow(to_rgb(one.pixels, one.preprocessing), interpolation="nearest")
    panel.set_title(
        f"{one.snapshot}\n{shortened(one.label, _LETTERS)} {one.probabilities[one.label]:.1%}", fontsize=8, color=INK
    )
    panel.set_axis_off()


def _draw_curves(panel: Axes, found: Lineage, marked: int | None) -> None:
    numbers = [one.generation for one in found.columns]
    shares = {name: [one.probabilities.get(name, math.nan) for one in found.columns] for name in found.classes}
    best = sorted(shares, key=lambda name: -float(np.nanmax(shares[name])))[:_CURVES]
    for name in best:
        panel.plot(numbers, shares[name], marker="o", markersize=3, label=shortened(name, _LETTERS))
    if marked is not None:
        panel.axvline(numbers[marked], color=INK, linewidth=0.8)
    panel.set_xticks(numbers)
    panel.set_ylim(-0.02, 1.02)
    panel.set_ylabel("probability", fontsize=8)
    panel.set_xlabel("generation", fontsize=8)
    panel.tick_params(labelsize=7)
    panel.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    panel.spines[["top", "right"]].set_visible(False)


def describe(found: Lineage, pictures: Mapping[str, Path] | None = None) -> str:
    """The probabilities, how many channels of each blob were found again, those that never were, and the files."""
    newest = f"gen{found.reference.generation}"
    blocks = [[f"{found.image} through {len(found.columns)} generations", *_probabilities(found)]]
    if found.without:
        blocks[0].append(f"without a snapshot: {', '.join(found.without)}")
    maps = [blob for blob in found.maps if blob not in found.named]
    if maps:
        rows = [["matched in", *(f"gen{one.generation}" for one in found.columns[:-1])]]
        rows += [
            [f"{newest} {blob}", *(_count(found, blob, place) for place in range(len(rows[0]) - 1))] for blob in maps
        ]
        lines = [line for blob in maps for line in _channels(found, blob)]
        blocks.append([*table(rows), *lines])
        blocks[-1].append(f"matched by {found.pictures:,} test pictures of {newest}")
        if found.left_out:
            blocks[-1].append(f"left out {len(found.left_out):,} that have changed or were deleted")
    absent = _absent(found)
    blocks += [absent] if absent else []
    return joined([*blocks, drawn(pictures)])


def _probabilities(found: Lineage) -> list[str]:
    known = found.reference.probabilities
    order = sorted(found.classes, key=lambda name: -known.get(name, 0.0))[:_CLASSES]
    rows = [["snapshot", *order]]
    rows += [
        [one.snapshot, *(f"{one.probabilities[name]:.4f}" if name in one.probabilities else "-" for name in order)]
        for one in found.columns
    ]
    return table(rows)


def _count(found: Lineage, blob: str, place: int) -> str:
    matches = found.matches[blob][place]
    if matches[0].reason in ("no blob", "other size"):
        return str(matches[0].reason)
    return f"{sum(one.channel is not None for one in matches)} of {len(matches)}"


def _channels(found: Lineage, blob: str) -> list[str]:
    """The channels without a counterpart in any generation, and those that never vary; the others are in the table."""
    columns = list(zip(*found.matches[blob], strict=True))  # for each channel, its match in each generation
    constant = [number for number, each in enumerate(columns) if all(one.reason == "constant" for one in each)]
    alone = [
        number
        for number, each in enumerate(columns)
        if all(one.channel is None for one in each) and number not in constant
    ]
    lines = []
    if alone and len(alone) < len(columns):
        lines.append(f"{blob}: unmatched everywhere: {_ranges(alone)}")
    elif alone:
        lines.append(f"{blob}: no channel is matched anywhere")
    if constant:
        lines.append(f"{blob}: constant, so not matched: {_ranges(constant)}")
    return lines


def _absent(found: Lineage) -> list[str]:
    """Classes that some generation does not know."""
    lines = []
    for name in found.classes:
        without = [f"gen{one.generation}" for one in found.columns if name not in one.classes]
        if without:
            lines.append(f"class '{name}' is absent in {', '.join(without)}")
    return lines


def _ranges(given: list[int]) -> str:
    """0-3, 7, 9-11."""
    parts: list[list[int]] = []
    for number in given:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(one[0]) if len(one) == 1 else f"{one[0]}-{one[-1]}" for one in parts)

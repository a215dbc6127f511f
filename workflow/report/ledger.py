"""ledger.png: contributions for a class and against another, as maps, and the nearest training pictures.

Red is for the class, blue for the other one, white is zero; one scale for all channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workflow.data.channel_order import to_rgb
from workflow.formats.datum import decode_all
from workflow.formats.lmdb import Reader
from workflow.interpretation.attribution.logit_account import Entries, Ledger
from workflow.report.canvas import BLUE, INK, RED, save, shortened, snapshot_name
from workflow.report.sheet import Sheet, widest
from workflow.words import drawn, joined, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workflow.models.model import Model

_LISTED = 5  # channels for each side that are printed; --json has every entry

_COLOURS = "RdBu_r"
_SHOWN = 8  # channels for and against, and neighbours: what a row holds
_UNITS = 12  # bars for and against, where a blob has no cells
_NUMBERED = 36  # more cells than this have no room for numbers
_CLASSES = 6
_LETTERS = 16  # of a class's name
_WIDTH = 13  # inches, as are the following
_TOP, _CELLS, _BARS = 0.45, 3.2, 1.95  # the upper edge of the first panels; their height with cells, and without
_PITCH, _SIDE = 1.56, 1.35  # from one small panel of a row to the next, and how large it is
_ROW, _UNDER = 1.75, 0.5  # from one row of them to the next, and what is written under axes
_DARK = 0.6  # cells of more than this part of the scale have white numbers


def draw_ledger(ledger: Ledger, model: Model, out: Path) -> None:
    """Draw the account of one picture.

    Args:
        ledger: of `why`.
        model: the same snapshot; its training set's database holds the pictures of the neighbours.
        out: the PNG to write; folders are made.

    Raises:
        DatabaseError: the database is damaged.
        OSError: as the operating system says it.
    """
    difference = ledger.difference
    cells = difference[0].size > 1
    first = _CELLS if cells else _BARS
    second = _TOP + first + _UNDER
    third = second + (2 * _ROW if cells else _BARS + _UNDER) + 0.15
    sheet = Sheet(_WIDTH, third + (_SIDE if ledger.nearest else -0.2), _title(ledger), note=ledger.note or "")
    picture = to_rgb(ledger.pixels, model.preprocessing)
    _draw_picture(sheet.panel(0.1, _TOP, 2.8, first), picture)
    left = 3.2 + widest((shortened(name, _LETTERS) for name in ledger.probabilities), 9)
    if cells:
        _draw_cells(sheet.panel(3.1, _TOP, _CELLS, _CELLS), picture, ledger)
        left += 3.6 + widest((shortened(one.label, _LETTERS) for one in (ledger.label, ledger.against)), 8)
        _draw_channels(sheet, second, difference, ledger)
    else:
        _draw_units(sheet.panel(0.95, second, _WIDTH - 1.1, _BARS), difference, ledger)
    _draw_probabilities(sheet.panel(left, _TOP, _WIDTH - 0.2 - left, first), ledger)
    if ledger.nearest:
        _draw_nearest(sheet, third, ledger, model)
    save(sheet.figure, out)


def _title(ledger: Ledger) -> str:
    one, other = ledger.label, ledger.against
    return (
        f"{ledger.image.name} as {snapshot_name(ledger.snapshot)} sees it: "
        f"'{one.label}' {one.logit:+.2f}, '{other.label}' {other.logit:+.2f}"
    )


def _draw_picture(panel: Axes, picture: NDArray[np.uint8]) -> None:
    panel.imshow(picture, interpolation="nearest")
    panel.set_title("the input of the net", fontsize=9, color=INK)
    panel.set_axis_off()


def _draw_cells(panel: Axes, picture: NDArray[np.uint8], ledger: Ledger) -> None:
    """The sum over all channels: the places that decided."""
    cells = ledger.difference.sum(0)
    height, width = picture.shape[:2]
    most = _most(cells)
    panel.imshow(picture.mean(2), cmap="gray", vmin=-120, vmax=375, interpolation="nearest")  # faint: a background
    shown = panel.imshow(
        cells, cmap=_COLOURS, vmin=-most, vmax=most, alpha=0.55, extent=(-0.5, width - 0.5, height - 0.5, -0.5)
    )
    if cells.size <= _NUMBERED:
        for (row, column), value in np.ndenumerate(cells):
            x = (column + 0.5) * width / cells.shape[1] - 0.5
            y = (row + 0.5) * height / cells.shape[0] - 0.5
            ink = "white" if abs(value) > _DARK * most else "black"
            panel.text(x, y, f"{value:+.2f}", ha="center", va="center", fontsize=8, color=ink)
    panel.set_title(f"cells of {ledger.blob}, all channels: sum {cells.sum():+.2f}", fontsize=9, color=INK)
    panel.set_axis_off()
    bar = panel.figure.colorbar(shown, cax=panel.inset_axes((1.03, 0, 0.046, 1)))
    sides = [f"for\n{shortened(account.label, _LETTERS)}" for account in (ledger.against, ledger.label)]
    bar.set_ticks([-most, 0, most], labels=[sides[0], "0", sides[1]])
    bar.ax.tick_params(labelsize=8, length=0)


def _draw_probabilities(panel: Axes, ledger: Ledger) -> None:
    likely = sorted(ledger.probabilities.items(), key=lambda pair: -pair[1])[:_CLASSES]
    colours = {ledger.label.label: RED, ledger.against.label: BLUE}
    names = [shortened(name, _LETTERS) for name, _ in likely]
    places = range(len(likely))
    panel.barh(places, [share for _, share in likely], color=[colours.get(name, "#b9b9c3") for name, _ in likely])
    for place, (_, share) in zip(places, likely, strict=True):
        inside = share > 0.85
        panel.text(
            share - 0.01 if inside else share + 0.01,
            place,
            f"{share:.3f}",
            va="center",
            ha="right" if inside else "left",
            fontsize=8,
            color="white" if inside else INK,
        )
    panel.set_yticks(places, names, fontsize=9)
    panel.invert_yaxis()
    panel.set_xlim(0, 1)
    one, other = ledger.label, ledger.against
    panel.set_title(
        f"probabilities; logits differ by {one.logit - other.logit:+.3f} =\n"
        f"{ledger.difference.sum():+.3f} (entries) {one.bias - other.bias:+.3f} (bias), within {ledger.sum_error:.0e}",
        fontsize=9,
        color=INK,
        loc="right",
    )
    panel.spines[["top", "right"]].set_visible(False)


def _draw_channels(sheet: Sheet, top: float, difference: Entries, ledger: Ledger) -> None:
    """The channels that contributed most to each side, each as a map of cells."""
    sums = difference.sum((1, 2))
    order = np.argsort(-sums, kind="stable")
    shown = min(_SHOWN, (len(sums) + 1) // 2)
    most = _most(difference[np.concatenate([order[:shown], order[::-1][:shown]])])
    for row, (channels, account, colour) in enumerate(
        ((order[:shown], ledger.label, RED), (order[::-1][:shown], ledger.against, BLUE))
    ):
        for column, channel in enumerate(channels):
            panel = _small(sheet, column, top + row * _ROW)
            panel.imshow(difference[channel], cmap=_COLOURS, vmin=-most, vmax=most, interpolation="nearest")
            panel.set_title(f"channel {channel}: {sums[channel]:+.2f}", fontsize=8, color=INK)
            panel.set_xticks([])
            panel.set_yticks([])
            if column == 0:
                words = f"for '{shortened(account.label, _LETTERS)}'"
                size = min(9.0, 9 * (_ROW - 0.05) / widest([words], 9))  # names may be in wide letters
                panel.set_ylabel(words, fontsize=size, color=colour)


def _small(sheet: Sheet, column: int, top: float) -> Axes:
    """A panel of a row of small ones."""
    return sheet.panel(0.45 + column * _PITCH, top, _SIDE, _SIDE)


def _draw_units(panel: Axes, difference: Entries, ledger: Ledger) -> None:
    """A blob without cells: the units that contributed most to each side, as bars."""
    sums = difference.reshape(-1)
    order = np.argsort(-sums, kind="stable")
    half = min(_UNITS, (len(sums) + 1) // 2)
    chosen = list(dict.fromkeys([*order[:half].tolist(), *order[len(sums) - half :].tolist()]))
    panel.bar(range(len(chosen)), sums[chosen], color=[RED if sums[unit] > 0 else BLUE for unit in chosen])
    panel.set_xticks(range(len(chosen)), [str(unit) for unit in chosen], fontsize=8)
    panel.set_xlabel(f"unit of {ledger.blob}", fontsize=9)
    panel.set_ylabel(
        f"for '{shortened(ledger.label.label, _LETTERS)}',\nnot '{shortened(ledger.against.label, _LETTERS)}'",
        fontsize=9,
    )
    panel.axhline(0, color=INK, linewidth=0.8)
    panel.spines[["top", "right"]].set_visible(False)


def _draw_nearest(sheet: Sheet, top: float, ledger: Ledger, model: Model) -> None:
    assert model.generation is not None  # noqa: S101  # else there would be no neighbours
    colours = {ledger.label.label: RED, ledger.against.label: BLUE}
    with Reader(model.generation.database("train")) as reader:
        for column, one in enumerate(ledger.nearest[:_SHOWN]):
            pixels, _ = decode_all(reader.values(one.record, 1))
            panel = _small(sheet, column, top)
            panel.imshow(to_rgb(pixels[0].astype(np.uint8), model.preprocessing), interpolation="nearest")
            brought = "the same file" if one.same else f"{one.distance:.3g} away, gen{one.generation}"
            colour = colours.get(one.label or "", INK)
            panel.set_title(f"{shortened(one.label or '?', _LETTERS)}\n{brought}", fontsize=8, color=colour)
            panel.set_xticks([])
            panel.set_yticks([])
            if column == 0:
                panel.set_ylabel("nearest in training", fontsize=9, color=INK)


def _most(values: Entries) -> float:
    """The end of a scale with 0 in its middle."""
    return float(np.abs(values).max()) or 1.0


def describe(ledger: Ledger, pictures: Mapping[str, Path] | None = None) -> str:
    """Both logits, their sums, the channels with the largest contributions, and the nearest training pictures."""
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
    blocks[0].append(f"the contributions and the bias add up to the logit (error {ledger.sum_error:.0e})")
    if ledger.note:
        blocks.append([ledger.note])
    if not one.contributions.any() and not other.contributions.any():
        blocks.append([f"{ledger.blob} is 0 everywhere, so the biases alone decide"])
        return joined([*blocks, drawn(pictures)])
    sums = difference.sum((1, 2))
    order = sums.argsort(kind="stable")
    for account, channels in ((one, order[::-1][:_LISTED]), (other, order[:_LISTED])):
        cells = [_channel(difference[channel], int(channel), float(sums[channel])) for channel in channels]
        blocks.append([f"largest contributions to '{account.label}'", *table(cells, left=(0, 2))])
    if ledger.nearest:
        rows = [
            [
                f"{near.distance:#.4g}",
                near.label or "?",
                "" if near.generation is None else f"gen{near.generation}",
                f"{near.path}{' (the same file)' if near.same else ''}",
            ]
            for near in ledger.nearest
        ]
        blocks.append(["nearest training pictures", *table(rows, left=(1, 2, 3))])
    return joined([*blocks, drawn(pictures)])


def _channel(cells: Entries, channel: int, total: float) -> list[str]:
    """A channel, its contribution, and the cell with most of it."""
    if cells.size == 1:
        return [f"  unit {channel}", f"{total:+.4f}", ""]
    row, column = divmod(int((cells if total > 0 else -cells).argmax()), cells.shape[1])
    return [f"  channel {channel}", f"{total:+.4f}", f"most at row {row}, column {column}: {cells[row, column]:+.4f}"]

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
from workflow.report.canvas import BLUE, INK, RED, new_figure, save, set_title, shortened, snapshot_name
from workflow.words import drawn, joined, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from workflow.models.model import Model

_LISTED = 5  # channels for each side that are printed; --json has every entry

_COLOURS = "RdBu_r"
_SHOWN = 8  # channels for and against, and neighbours: what a row holds
_UNITS = 12  # bars for and against, where a blob has no cells
_NUMBERED = 36  # more cells than this have no room for numbers
_CLASSES = 6
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
    rows = 3 + bool(ledger.nearest) if cells else 2 + bool(ledger.nearest)
    figure = new_figure(13, 3.6 + 1.95 * (rows - 1), dpi=100)
    grid = figure.add_gridspec(rows, _SHOWN, height_ratios=[2.1, *[1] * (rows - 1)] if cells else None)
    picture = to_rgb(ledger.pixels, model.preprocessing)
    _draw_picture(figure.add_subplot(grid[0, :2]), picture)
    if ledger.note:
        figure.supxlabel(ledger.note, fontsize=9, color=INK)
    if cells:
        _draw_cells(figure.add_subplot(grid[0, 2:5]), picture, ledger)
        _draw_channels(figure, grid[1:3, :], difference, ledger)
    else:
        _draw_units(figure.add_subplot(grid[1, :]), difference, ledger)
    _draw_probabilities(figure.add_subplot(grid[0, 5:] if cells else grid[0, 3:]), ledger)
    if ledger.nearest:
        _draw_nearest(figure, grid[rows - 1, :], ledger, model)
    set_title(figure, _title(ledger))
    save(figure, out)


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
    bar = panel.figure.colorbar(shown, ax=panel, fraction=0.046, pad=0.03)
    sides = [f"for\n{shortened(account.label, 16)}" for account in (ledger.against, ledger.label)]
    bar.set_ticks([-most, 0, most], labels=[sides[0], "0", sides[1]])
    bar.ax.tick_params(labelsize=8, length=0)


def _draw_probabilities(panel: Axes, ledger: Ledger) -> None:
    likely = sorted(ledger.probabilities.items(), key=lambda pair: -pair[1])[:_CLASSES]
    colours = {ledger.label.label: RED, ledger.against.label: BLUE}
    names = [shortened(name, 16) for name, _ in likely]
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
    )
    panel.spines[["top", "right"]].set_visible(False)


def _draw_channels(figure: Figure, place: object, difference: Entries, ledger: Ledger) -> None:
    """The channels that contributed most to each side, each as a map of cells."""
    sums = difference.sum((1, 2))
    order = np.argsort(-sums, kind="stable")
    shown = min(_SHOWN, (len(sums) + 1) // 2)
    grid = place.subgridspec(2, _SHOWN)  # type: ignore[attr-defined]  # a SubplotSpec, which only matplotlib can name
    most = _most(difference[np.concatenate([order[:shown], order[::-1][:shown]])])
    for row, (channels, account, colour) in enumerate(
        ((order[:shown], ledger.label, RED), (order[::-1][:shown], ledger.against, BLUE))
    ):
        for column, channel in enumerate(channels):
            panel = figure.add_subplot(grid[row, column])
            panel.imshow(difference[channel], cmap=_COLOURS, vmin=-most, vmax=most, interpolation="nearest")
            panel.set_title(f"channel {channel}: {sums[channel]:+.2f}", fontsize=8, color=INK)
            panel.set_xticks([])
            panel.set_yticks([])
            if column == 0:
                panel.set_ylabel(f"for '{shortened(account.label, 16)}'", fontsize=9, color=colour)


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
        f"for '{shortened(ledger.label.label, 16)}', not '{shortened(ledger.against.label, 16)}'", fontsize=9
    )
    panel.axhline(0, color=INK, linewidth=0.8)
    panel.spines[["top", "right"]].set_visible(False)


def _draw_nearest(figure: Figure, place: object, ledger: Ledger, model: Model) -> None:
    assert model.generation is not None  # noqa: S101  # else there would be no neighbours
    grid = place.subgridspec(1, _SHOWN)  # type: ignore[attr-defined]  # a SubplotSpec, as above
    colours = {ledger.label.label: RED, ledger.against.label: BLUE}
    with Reader(model.generation.database("train")) as reader:
        for column, one in enumerate(ledger.nearest[:_SHOWN]):
            pixels, _ = decode_all(reader.values(one.record, 1))
            panel = figure.add_subplot(grid[0, column])
            panel.imshow(to_rgb(pixels[0].astype(np.uint8), model.preprocessing), interpolation="nearest")
            brought = "the same file" if one.same else f"{one.distance:.3g} away, gen{one.generation}"
            colour = colours.get(one.label or "", INK)
            panel.set_title(f"{shortened(one.label or '?', 16)}\n{brought}", fontsize=8, color=colour)
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

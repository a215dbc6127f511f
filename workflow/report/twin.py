"""twin.png: a false positive, its nearest true positive, their class's mean and the difference, blob by blob."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workflow.data.channel_order import to_rgb
from workflow.report.canvas import BLUE, INK, RED, save, shortened, tiled
from workflow.report.sheet import Sheet, widest
from workflow.words import drawn, joined, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workflow.config import Preprocessing
    from workflow.interpretation.examples.twin import Twin

_LISTED = 8  # channels that are printed; --json has all

_GREY = "#8a8f9c"
_CHANNELS = 12  # bars
_CHANGES = 8  # changed pictures
_TITLE = 58  # letters of a line above a panel of the lowest row

_WIDTH = 13  # inches, as are the following
_PICTURE, _CHANGED, _BELOW = (3.0, 2.2), (1.45, 1.3), 2.2  # of panels
_GRID, _LOW, _HIGH = 2.5, 0.9, 2.7  # how wide grids are, and how high at least and at most
_GRIDS = (0.55, 3.15, 6.4, 9.65)  # left edges; scales are behind the last three
_LINE = 0.2  # a title of one line


def draw_twin(found: Twin, preprocessing: Preprocessing, out: Path) -> None:
    """Draw the sheet: pictures above, a row of grids for each blob, and what was measured below.

    Args:
        found: of `interpretation.examples.twin.twin`.
        preprocessing: the snapshot's, for the order of channels.
        out: the PNG to write; folders are made.

    Raises:
        OSError: as the operating system says it.
    """
    blobs = list(found.picture.maps)
    changed = 2 * _LINE + _PICTURE[1] + 4 * _LINE  # the upper edge of a row's panels, as are the following two
    grids = changed + _CHANGED[1] + 2 * _LINE
    high = [_height(blob, maps) for blob, maps in found.picture.maps.items()]
    last = grids + sum(high) + (2 * len(blobs) + 1) * _LINE
    names = max(0.4, 0.3 + widest((stage.blob for stage in found.stages), 8) * 0.9)  # they are slanted
    title = f"{found.image.name}: what makes it '{found.target.name}' ({found.probability:.1%}) in {found.snapshot}"
    sheet = Sheet(_WIDTH, last + _BELOW + names, title, dpi=90)
    _draw_pictures(_row(sheet, 4, 2 * _LINE, _PICTURE), found, preprocessing)
    sheet.words(changed - 3 * _LINE, describe_counterfactuals(found))
    _draw_counterfactuals(_row(sheet, _CHANGES, changed, _CHANGED), found, preprocessing)
    for number, (blob, height) in enumerate(zip(blobs, high, strict=True)):
        top = grids + sum(high[:number]) + 2 * number * _LINE
        _draw_blob([sheet.panel(left, top, _GRID, height) for left in _GRIDS], found, blob)
    _draw_stages(sheet.panel(0.6, last, 3.9, _BELOW), found)
    _draw_channels(sheet.panel(5.2, last, 3.2, _BELOW), found)
    _draw_deletion(sheet.panel(9.1, last, 3.7, _BELOW), found)
    save(sheet.figure, out)


def _height(blob: str, maps: NDArray[np.float32]) -> float:
    """Inches of a blob's grids: as high as one is at its width, and with room for the name beside it, which is bold."""
    board = tiled(maps)
    return max(min(_HIGH, _GRID * len(board) / len(board[0])), _LOW, widest([blob], 12) - _LINE)


def _row(sheet: Sheet, count: int, top: float, size: tuple[float, float]) -> list[Axes]:
    pitch = _WIDTH / count
    return [sheet.panel(pitch * number + (pitch - size[0]) / 2, top, *size) for number in range(count)]


def _draw_pictures(panels: list[Axes], found: Twin, preprocessing: Preprocessing) -> None:
    titles = (
        f"the picture\n'{found.target.name}' {found.probability:.1%}",
        f"its nearest true positive, {found.nearest_probability:.1%}\n{shortened(Path(found.nearest.path).name, 44)}",
        f"mean of {found.counts[0]} true positives",
    )
    for panel, side, title in zip(panels, (found.picture, found.twin, found.mean), titles, strict=False):
        panel.imshow(to_rgb(side.pixels, preprocessing), interpolation="nearest")
        panel.set_title(title, fontsize=9, color=INK)
    (one,) = found.occlusion.maps
    most = float(np.abs(one.heat).max()) or 1.0
    panels[3].imshow(to_rgb(found.picture.pixels, preprocessing).mean(2), cmap="gray", vmin=-120, vmax=375)
    panels[3].imshow(one.heat, cmap="RdBu_r", vmin=-most, vmax=most, alpha=0.65, interpolation="nearest")
    panels[3].set_title("occlusion: covering red places\nlowers the class", fontsize=9, color=INK)
    for panel in panels:
        panel.set_xticks([])
        panel.set_yticks([])


def _draw_counterfactuals(panels: list[Axes], found: Twin, preprocessing: Preprocessing) -> None:
    for panel in panels:
        panel.set_axis_off()
    for panel, one in zip(panels, found.counterfactuals, strict=False):
        panel.imshow(to_rgb(one.pixels, preprocessing), interpolation="nearest")
        panel.set_title(f"{one.short}\n{one.probability:.1%}", fontsize=9, color=RED if one.lost else INK)


def describe_counterfactuals(found: Twin) -> str:
    """The simple changes after which the class is another one, in a sentence."""
    name, least = found.target.name, found.counterfactuals[0]
    lost = next((one for one in found.counterfactuals if one.lost), None)
    if lost is None:
        return (
            f"no simple change removes '{name}': {_share(found.probability)} falls to {_share(least.probability)} "
            f"at most, {least.change}"
        )
    return (
        f"{lost.change}, '{name}' falls from {_share(found.probability)} to {_share(lost.probability)}: "
        f"the answer is '{lost.label}'"
    )


def _share(probability: float) -> str:
    return "under 0.0001" if probability < 0.0001 else f"{probability:.4f}"


def _draw_blob(panels: list[Axes], found: Twin, blob: str) -> None:
    """The picture and its twin on one scale; the mean and the difference, which are smaller, on their own."""
    picture, its_twin, mean = (side.maps[blob] for side in (found.picture, found.twin, found.mean))
    signed = bool((picture < 0).any() or (its_twin < 0).any())
    pair = max(_greatest(picture), _greatest(its_twin))
    away: NDArray[np.float32] = picture - its_twin
    shown = (
        (picture, signed, pair),
        (its_twin, signed, pair),
        (mean, signed, _greatest(mean)),
        (away, True, _greatest(away)),
    )
    for panel, (maps, around_zero, most) in zip(panels, shown, strict=True):
        colours, least = ("RdBu_r", -most) if around_zero else ("inferno", 0.0)
        drawn = panel.imshow(tiled(maps), cmap=colours, vmin=least, vmax=most, interpolation="nearest")
        panel.set_facecolor("#c9ccd4")
        panel.set_xticks([])
        panel.set_yticks([])
        if panel is not panels[0]:  # which has the scale of the second
            bar = panel.figure.colorbar(drawn, cax=panel.inset_axes((1.02, 0, 0.05, 1)))
            bar.ax.tick_params(labelsize=7)
    joined = "\njoins here" if blob == found.joins_at else ""
    panels[0].set_ylabel((blob) + joined, fontsize=10, color=RED if joined else INK, fontweight="bold")
    for panel, word in zip(panels, ("the picture", "its twin", "the class's mean", "picture - twin"), strict=True):
        panel.set_title(word, fontsize=8, color=INK)


def _greatest(maps: NDArray[np.float32]) -> float:
    return float(np.abs(maps).max()) or 1.0


def _draw_stages(panel: Axes, found: Twin) -> None:
    names = [stage.blob for stage in found.stages]
    ratios = [stage.ratio for stage in found.stages]
    limits = [stage.limit for stage in found.stages]
    places = range(len(names))
    panel.fill_between(places, limits, color=RED, alpha=0.12, linewidth=0)
    panel.plot(places, limits, color=RED, linewidth=1, label="95% of other pictures are above this")
    panel.plot(places, ratios, color=INK, linewidth=1)
    panel.scatter(places, ratios, c=[RED if stage.among else BLUE for stage in found.stages], zorder=3)
    panel.legend(fontsize=8, frameon=False, loc="lower left")
    panel.set_ylim(0, 1.1 * max(1.0, *ratios))
    panel.set_xticks(range(len(names)), names, rotation=60, fontsize=8)
    panel.tick_params(axis="y", labelsize=8)
    panel.set_ylabel("distance to class / to others", fontsize=8)
    panel.set_title(textwrap.fill(describe_joining(found), _TITLE), fontsize=9, color=INK)
    panel.spines[["top", "right"]].set_visible(False)


def describe_joining(found: Twin) -> str:
    """The layer where the picture starts to look like the class, in words."""
    if found.joins_at is None:
        some = ", ".join(stage.blob for stage in found.stages if stage.among)
        if some:
            return f"looks like '{found.target.name}' at {some}, but not up to the last layer"
        return f"at no layer is it closer to '{found.target.name}' than the limit"
    return f"looks like '{found.target.name}' from {found.joins_at} on"


def describe_carrying(found: Twin) -> str:
    """How many channels must be replaced to change the class."""
    one = found.carrying
    if one.enough is None:
        return f"the picture stays in the class even without all channels of {one.blob}"
    if one.enough == 1:
        return f"without channel {one.channels[0].number} of {one.blob} the answer is another class"
    return f"without the first {one.enough} of {len(one.channels)} channels of {one.blob} the answer is another class"


def _draw_channels(panel: Axes, found: Twin) -> None:
    first = found.carrying.channels[:_CHANNELS]
    enough = found.carrying.enough or 0
    places = range(len(first))
    panel.barh(places, [one.fall for one in first], color=[RED if place < enough else _GREY for place in places])
    panel.set_yticks(places, [str(one.number) for one in first], fontsize=8)
    panel.invert_yaxis()
    panel.axvline(0, color=_GREY, linewidth=1)
    panel.tick_params(axis="x", labelsize=8)
    panel.set_xlabel("decrease of the log odds without it", fontsize=8)
    panel.set_ylabel(f"channel of {found.carrying.blob}", fontsize=8)
    panel.set_title(textwrap.fill(describe_carrying(found), _TITLE), fontsize=9, color=INK)
    panel.spines[["top", "right"]].set_visible(False)


def _draw_deletion(panel: Axes, found: Twin) -> None:
    (one,), chance = found.occlusion.maps, found.occlusion.baseline
    share = np.linspace(0, 100, len(one.deletion_curve))
    panel.plot(share, one.deletion_curve, color=RED, label=f"most important first, area {one.deletion:.3f}")
    panel.plot(share, chance.deletion_curve, color=_GREY, label=f"in random order, {chance.deletion:.3f}")
    panel.axvline(25, color=INK, linewidth=0.8, linestyle=":")
    panel.set_ylim(0, 1.02)
    panel.set_xlim(0, 100)
    panel.tick_params(labelsize=8)
    panel.set_xlabel("% of places covered; the check is at 25%", fontsize=8)
    panel.set_title("probability while places are covered", fontsize=9, color=INK)
    panel.legend(fontsize=8, frameon=False)
    panel.spines[["top", "right"]].set_visible(False)


def describe(found: Twin, pictures: Mapping[str, Path] | None = None) -> str:
    """The twin, the distances blob by blob, the channels, and the deletion check."""
    brought = "" if found.nearest.generation is None else f", from gen{found.nearest.generation}"
    changed = [["probability", "answer", "change"]]
    changed += [[f"{one.probability:.4f}", one.label, one.change] for one in found.counterfactuals[:_LISTED]]
    hangs_on = [describe_counterfactuals(found), *table(changed, left=(1, 2))]
    head = [
        f"{found.image}, class {found.target.name} in {found.snapshot}: probability {found.probability:.4g}",
        f"nearest true positive  {found.nearest.path} (probability {found.nearest_probability:.4g}{brought})",
    ]
    rows = [["blob", "to class", "to others", "ratio", "limit", ""]]
    for one in found.stages:
        numbers = [f"{one.to_class:.4g}", f"{one.to_others:.4g}", f"{one.ratio:.3f}", f"{one.limit:.3f}"]
        rows.append([one.blob, *numbers, "like the class" if one.among else ""])
    stages = [
        f"{describe_joining(found)} (distances to {found.counts[0]} and {found.counts[1]} pictures)",
        *table(rows),
        "like the class: the ratio is below the limit, as for 5 % of the pictures of other classes",
    ]
    channels = [describe_carrying(found)]
    channels += [f"  channel {one.number:3}  log odds {-one.fall:+.2f}" for one in found.carrying.channels[:_LISTED]]
    covered, chance = found.covered
    check = f"probability with the most important quarter covered: {covered:.4g}; with a random quarter: {chance:.4g}"
    last = [check, *drawn(pictures)]
    return joined([head, hangs_on, stages, channels, last])

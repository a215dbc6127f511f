"""invert.png: a picture and its reconstructions from each stage of the net."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.data.channel_order import to_rgb
from workflow.report.canvas import INK, save, snapshot_name
from workflow.report.sheet import Sheet
from workflow.words import drawn, table

if TYPE_CHECKING:
    from workflow.config import Preprocessing
    from workflow.interpretation.synthesis.invert import Inversion, Pixels

_COLUMN, _ROW, _SIDE = 2.3, 2.8, 2.1  # inches: from one picture to the next, and of its sides


def draw_inversion(found: Inversion, preprocessing: Preprocessing, out: Path) -> None:
    """Draw one column for each blob: by optimisation above, by its decoder, where there is one, below.

    Args:
        found: of `rebuild`.
        preprocessing: the snapshot's, for the order of channels.
        out: the PNG to write; folders are made.

    Raises:
        OSError: as the operating system says it.
    """
    blobs = list(dict.fromkeys(one.blob for one in found.rebuilt))
    ways = [how for how in ("optimisation", "decoder") if any(one.how == how for one in found.rebuilt)]
    name = snapshot_name(found.snapshot)
    label = "" if found.label is None else f", labelled '{found.label}' by {name}"
    title = f"{found.image.name}{label}, reconstructed"
    sheet = Sheet(_COLUMN * (len(blobs) + 1), _ROW * len(ways), title)

    def show(row: int, column: int, pixels: Pixels, above: str, below: str = "") -> None:
        panel = sheet.panel(_COLUMN * column + (_COLUMN - _SIDE) / 2, _ROW * row + 0.25, _SIDE, _SIDE)
        panel.imshow(to_rgb(pixels, preprocessing), interpolation="nearest")
        panel.set_title(above, fontsize=9, color=INK)
        panel.set_xlabel(below, fontsize=8, color=INK)
        panel.set_xticks([])
        panel.set_yticks([])
        panel.set_frame_on(False)

    show(0, 0, found.pixels, "the input of the net")
    for one in found.rebuilt:
        words = f"features differ by {one.feature_error:.1%}\nPSNR {one.psnr:.1f} dB   SSIM {one.ssim:.2f}"
        show(ways.index(one.how), 1 + blobs.index(one.blob), one.pixels, f"from {one.blob}, by {one.how}", words)
    save(sheet.figure, out)


def describe(found: Inversion, pictures: Mapping[str, Path] | None = None) -> str:
    """A line for each rebuilt picture."""
    rows = [["blob", "by", "feature error", "PSNR", "SSIM"]]
    rows += [
        [one.blob, one.how, f"{one.feature_error:.2%}", f"{one.psnr:.1f} dB", f"{one.ssim:.3f}"]
        for one in found.rebuilt
    ]
    label = "" if found.label is None else f", labelled '{found.label}'"
    head = f"{found.image}{label}, reconstructed from each layer of {found.snapshot}"
    return "\n".join([head, *table(rows, left=(0, 1)), *drawn(pictures)])

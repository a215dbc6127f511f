"""invert.png: a picture and its reconstructions from each stage of the net."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.data.channel_order import to_rgb
from workflow.report.canvas import INK, new_figure, save, set_title, snapshot_name
from workflow.words import drawn, table

if TYPE_CHECKING:
    from workflow.config import Preprocessing
    from workflow.interpretation.synthesis.invert import Inversion


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
    figure = new_figure(2.3 * (len(blobs) + 1), 2.9 * len(ways) + 0.6, dpi=100)
    panels = figure.subplots(len(ways), len(blobs) + 1, squeeze=False)
    for panel in panels.flat:
        panel.set_xticks([])
        panel.set_yticks([])
        panel.set_frame_on(False)
    panels[0, 0].imshow(to_rgb(found.pixels, preprocessing), interpolation="nearest")
    panels[0, 0].set_title("the input of the net", fontsize=9, color=INK)
    for one in found.rebuilt:
        panel = panels[ways.index(one.how), 1 + blobs.index(one.blob)]
        panel.imshow(to_rgb(one.pixels, preprocessing), interpolation="nearest")
        panel.set_title(f"from {one.blob}, by {one.how}", fontsize=9, color=INK)
        words = f"features differ by {one.feature_error:.1%}\nPSNR {one.psnr:.1f} dB   SSIM {one.ssim:.2f}"
        panel.set_xlabel(words, fontsize=8, color=INK)
    name = snapshot_name(found.snapshot)
    label = "" if found.label is None else f", labelled '{found.label}' by {name}"
    set_title(figure, f"{found.image.name}{label}, reconstructed")
    save(figure, out)


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

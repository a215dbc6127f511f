"""Simple changes of a picture: without a colour, without a part, grey, mirrored, blurred, hue rotated.

Each answers a question that an owner asks: is it the yellow? the upper part? the outline? What the class's
probability falls to says how much of the answer hung on that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from workflow.data.channel_order import from_rgb, to_rgb
from workflow.engines.base import Array
from workflow.interpretation.differentiable import Differentiable
from workflow.models.model import Model

Pixels = NDArray[np.uint8]

LEAST = 0.08
"""A colour is tried if it covers at least this share of the picture."""
GREY = 128
_BLUR = 16  # the Gaussian's sigma is this part of the shorter side
_DARK, _PALE, _BRIGHT = 0.2, 0.18, 0.85  # of HSV, 0..1: black below the first, grey or white below the second
_BROWN = 0.6  # orange under this value
_HUES = (  # degrees at which each begins
    (0, "red"),
    (16, "orange"),
    (46, "yellow"),
    (70, "green"),
    (165, "turquoise"),
    (195, "blue"),
    (255, "purple"),
    (295, "pink"),
    (345, "red"),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Counterfactual:
    """The picture after one change, and the net's answer."""

    change: str
    """`with its yellow (38% of it) replaced by one grey`, `in grey scale`, `mirrored`."""
    short: str
    """`no yellow`, `grey scale`, `no top third`."""
    pixels: Pixels
    """(C, H, W), as a record holds it; what is covered with the mean is rounded."""
    probability: float
    """Probability of the class asked about."""
    label: str
    """The predicted class of the changed picture."""
    lost: bool
    """Whether the predicted class is another one than the class asked about."""

    def json(self) -> dict[str, Any]:
        """As `wf twin --json` gives it."""
        return {"change": self.change, "probability": self.probability, "label": self.label, "lost": self.lost}


def counterfactuals(net: Differentiable, pixels: Pixels, channel: int) -> tuple[Counterfactual, ...]:
    """Run the net on every change of a picture; the one with the lowest probability of the class first.

    Args:
        net: ends in probabilities.
        pixels: uint8 (C, H, W), in the recorded channel order.
        channel: the class.
    """
    model = net.model
    changed = changes(model, pixels)
    blobs = model.blob(np.stack([one for _, _, one in changed]))
    with model.open(images=len(changed)) as session:
        output = model.output or session.outputs[0]
        shares = session.forward({output}, **{model.input: blobs})[output].reshape(len(changed), -1)
    found = [
        Counterfactual(
            change=change,
            short=short,
            pixels=one,
            probability=float(row[channel]),
            label=model.class_name(int(row.argmax())),
            lost=int(row.argmax()) != channel,
        )
        for (change, short, one), row in zip(changed, shares, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: one.probability))


def changes(model: Model, pixels: Pixels) -> list[tuple[str, str, Pixels]]:
    """Every change that has an effect: its name, its short name, and the changed pixels (C, H, W)."""
    shape = model.preprocessing
    rgb = to_rgb(pixels, shape)
    found: list[tuple[str, str, Pixels]] = []
    if shape.channel_order != "GRAY":
        for name, share, mask in colours(rgb):
            painted = from_rgb(np.where(mask[..., None], np.uint8(GREY), rgb), shape)
            found.append((f"with its {name} ({share:.0%} of it) replaced by one grey", f"no {name}", painted))
        found.append(("in grey scale", "grey scale", from_rgb(_grey_scale(rgb), shape)))
        found.append(("with its hues rotated by 180°", "hues rotated", from_rgb(_hue_turned(rgb), shape)))
    mean, height = _mean(model, pixels.shape), pixels.shape[1]
    for index, name in enumerate(("top", "middle", "bottom")):
        rows = slice(index * height // 3, (index + 1) * height // 3)
        covered = pixels.copy()
        covered[:, rows] = mean[:, rows]
        found.append((f"with its {name} third covered by the mean picture", f"no {name} third", covered))
    found.append(("mirrored", "mirrored", np.ascontiguousarray(pixels[:, :, ::-1])))
    found.append(("blurred", "blurred", from_rgb(_blurred(rgb), shape)))
    return [one for one in found if (one[2] != pixels).any()]


def colours(rgb: Pixels) -> list[tuple[str, float, NDArray[np.bool_]]]:
    """The colours that cover a good part of a picture (H, W, 3), the largest first: name, share 0..1, mask (H, W)."""
    names = colour_names(rgb)
    kinds, counts = np.unique(names, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    shares = [(str(kinds[index]), float(counts[index] / names.size)) for index in order]
    return [(name, share, names == name) for name, share in shares if share >= LEAST]


def colour_names(rgb: Pixels) -> NDArray[np.str_]:
    """The everyday name of each pixel's colour, (H, W), by hue, saturation and value."""
    values = np.asarray(Image.fromarray(rgb).convert("HSV"), np.float64) / 255
    hue, saturation, value = (values[..., index] for index in range(3))
    starts, names = zip(*_HUES, strict=True)
    found = np.array(names, dtype="<U9")[np.searchsorted(starts, hue * 360, side="right") - 1]
    found[(found == "orange") & (value < _BROWN)] = "brown"
    found[saturation < _PALE] = "grey"
    found[(saturation < _PALE) & (value > _BRIGHT)] = "white"
    found[value < _DARK] = "black"
    return found


def _grey_scale(rgb: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(rgb).convert("L").convert("RGB"))


def _hue_turned(rgb: Pixels) -> Pixels:
    turned = np.array(Image.fromarray(rgb).convert("HSV"))
    turned[..., 0] += 128
    return np.asarray(Image.fromarray(turned, "HSV").convert("RGB"))


def _blurred(rgb: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(rgb).filter(ImageFilter.GaussianBlur(min(rgb.shape[:2]) / _BLUR)))


def _mean(model: Model, shape: tuple[int, ...]) -> Array:
    """The mean picture (C, H, W); mid-grey for a model without a mean."""
    mean = model.transform.mean
    filled: Array = np.full(shape, GREY, np.float32) if mean is None else np.broadcast_to(mean, shape)
    return np.rint(filled).clip(0, 255)

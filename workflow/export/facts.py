"""Documentation inside an exported file: how to preprocess pictures, and what the outputs mean."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from workflow.config import Preprocessing, untyped
from workflow.models.model import Model

_FITS = {
    "squash": "resize it to {size} pixels (width x height), whatever its aspect ratio",
    "crop": "cut the largest centred part with the aspect ratio of {size} (width x height), resize it to that",
    "pad": "resize it to fit into {size} pixels (width x height), centre it on the background",
}
_KERNELS = {
    "opencv": "with OpenCV's INTER_LINEAR (no antialiasing)",
    **{name: f"with Pillow's {name.upper()}" for name in ("bilinear", "bicubic", "lanczos", "box")},
}


def facts(model: Model, *, mean_file: str | None = None) -> dict[str, Any]:
    """All facts, as JSON values.

    Args:
        model: the snapshot.
        mean_file: where the mean lies beside the export; without one it is part of the facts: a list of one number for
            each channel, or of (C, H, W).
    """
    mean = None if model.transform.mean is None else np.asarray(model.transform.mean)
    recorded = None if mean is None else mean_file or (mean[:, 0, 0] if mean.shape[1:] == (1, 1) else mean).tolist()
    return {
        "snapshot": model.name,
        "weights_sha256": hashlib.sha256(model.weights.SerializeToString(deterministic=True)).hexdigest(),
        "classes": list(model.classes or ()),
        "input": model.input,
        "output": model.output,
        "preprocessing": untyped(model.preprocessing),
        "mean": recorded,
        "scale": model.transform.scale,
        "crop": model.transform.crop,
        "temperature": model.temperature,
        "rule": " ".join(f"{number}. {step}." for number, step in enumerate(_steps(model), start=1)),
    }


def _steps(model: Model) -> list[str]:
    """The steps from a picture's file to the net's input, in order; wf itself follows them."""
    shape, transform = model.preprocessing, model.transform
    steps = [
        "Decode the picture, turn it upright by its EXIF orientation, "
        f"put transparent pixels on the background {shape.background}, make it {'grey' if _grey(shape) else 'RGB'}",
        f"{_FITS[shape.fit].format(size=f'{shape.width} x {shape.height}').capitalize()}, {_KERNELS[shape.kernel]}, "
        "rounded to whole numbers 0..255",
        f"Order it as (channels, rows, columns), channels {shape.channel_order}",
    ]
    if transform.mean is not None:
        each = "for each channel" if np.asarray(transform.mean).shape[1:] == (1, 1) else "of the same shape"
        steps.append(f"Subtract `mean`, {each}")
    if transform.crop:
        steps.append(f"Cut the centred window of {transform.crop} x {transform.crop}")
    if transform.scale != 1:
        steps.append(f"Multiply by `scale`, {transform.scale:g}")
    return steps


def _grey(shape: Preprocessing) -> bool:
    return shape.channel_order == "GRAY"

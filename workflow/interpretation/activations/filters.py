"""The filters of a net's first convolution as colour tiles."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workflow.engines.base import Array
from workflow.errors import NetError
from workflow.formats.blobproto import to_array
from workflow.models.model import Model
from workflow.storage import replacing

_SIDE = 48  # pixels of a filter's tile, about


def first_filters(model: Model) -> tuple[str, Array]:
    """The first convolution that looks at pictures: its name, and its weights float32 (filters, C, h, w).

    Raises:
        NetError: there is none whose filters have the picture's channels.
    """
    channels = model.preprocessing.shape[0]
    for layer in model.weights.layer:
        if layer.type in ("Convolution", "") and layer.blobs:
            weights = to_array(layer.blobs[0])
            if weights.ndim == 4 and weights.shape[1] == channels:
                return layer.name, weights
    raise NetError(f"{model.source} has no convolution whose filters have {channels} channels", at=model.source)


def draw_filters(model: Model, out: Path) -> Path:
    """Write the tiles as a PNG: 0 is middle grey, each filter has its own scale, channels are shown as colours.

    Raises:
        NetError: as `first_filters`.
        OSError: as the operating system says it.
    """
    _, weights = first_filters(model)
    if model.preprocessing.channel_order == "BGR":
        weights = weights[:, ::-1]
    picture = tiles(weights)
    factor = max(1, _SIDE // weights.shape[2])
    image = Image.fromarray(picture).resize(
        (picture.shape[1] * factor, picture.shape[0] * factor), Image.Resampling.NEAREST
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as temporary:
        image.save(temporary, format="png")
    return out


def tiles(weights: Array) -> NDArray[np.uint8]:
    """Filters (n, 1 or 3, h, w) row by row in a square, a white pixel between them: uint8 (rows, columns, 3)."""
    count, channels, height, width = weights.shape
    side = math.ceil(math.sqrt(count))
    rows = math.ceil(count / side)
    most = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
    scaled = np.rint(127.5 + 127.5 * weights / np.where(most > 0, most, 1)).astype(np.uint8)
    board = np.full((rows * side, height + 1, width + 1, 3), 255, np.uint8)
    board[:count, :height, :width] = scaled.transpose(0, 2, 3, 1) if channels == 3 else scaled[:, 0, :, :, None]
    whole = board.reshape(rows, side, height + 1, width + 1, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(whole.reshape(rows * (height + 1), side * (width + 1), 3)[:-1, :-1])

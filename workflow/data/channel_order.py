"""Convert between the channel order of records and RGB."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workflow.config import Preprocessing


def to_rgb(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """A record's picture, uint8 (C, H, W) in its own channel order, as RGB (H, W, 3); grey in all three channels."""
    if preprocessing.channel_order == "BGR":
        pixels = pixels[::-1]
    elif preprocessing.channel_order == "GRAY":
        pixels = pixels.repeat(3, axis=0)
    return np.ascontiguousarray(pixels.transpose(1, 2, 0))


def from_rgb(rgb: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """The way back: uint8 (H, W, 3) as (C, H, W); for GRAY all three channels must be alike."""
    planes = rgb.transpose(2, 0, 1)
    order = preprocessing.channel_order
    return np.ascontiguousarray({"BGR": planes[::-1], "GRAY": planes[:1]}.get(order, planes))

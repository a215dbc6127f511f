"""Random numbers of a layer: a function of the net's seed, of the pass and of the layer's name."""

from __future__ import annotations

import zlib

import numpy as np
import torch

from workflow.layers.base import Layer


def generator(layer: Layer, *more: int) -> torch.Generator:
    """Draws the same in a resumed run as in the unbroken one; `more` tells several streams of a layer apart."""
    words = [layer.seed % 2**64, layer.position, zlib.crc32(layer.spec.name.encode()), *more]
    (seed,) = np.random.SeedSequence(words).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(seed))

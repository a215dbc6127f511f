"""Random numbers of a layer: a function of the net's seed, of the pass and of the layer's name."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from workflow.layers.base import Layer

_drawing = threading.RLock()


@contextmanager
def drawing() -> Iterator[None]:
    """Let code draw from torch's global generator, in one thread at a time; its state is put back afterwards."""
    with _drawing, torch.random.fork_rng(devices=[]):
        yield


def generator(layer: Layer, *more: int) -> torch.Generator:
    """A generator that draws the same in a resumed run; `more` separates several streams of one layer."""
    words = [layer.seed % 2**64, layer.position, zlib.crc32(layer.spec.name.encode()), *more]
    (seed,) = np.random.SeedSequence(words).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(seed))

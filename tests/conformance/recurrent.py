"""Recurrent layers: with and without a static input, exposed states, sequences that begin anywhere."""

from __future__ import annotations

import numpy as np
from conformance.case import Array, Case, Rng, floats, generator


def _sizes(rng: Rng, count: int) -> list[int]:
    """Sizes from 2 to 6, no two alike."""
    return [int(size) for size in rng.choice(np.arange(2, 7), size=count, replace=False)]


def _cont(rng: Rng, moments: int, items: int) -> Array:
    return (rng.uniform(size=(moments, items)) < 0.6).astype(np.float32)


def _recurrent(rng: Rng, states: int) -> Case:
    moments, items, inputs, outputs = _sizes(rng, 4)
    x = floats(rng, (moments, items, inputs, 2) if rng.integers(2) else (moments, items, inputs))
    bottoms = [x, _cont(rng, moments, items)]
    if rng.integers(2):
        bottoms.append(floats(rng, (items, 3, 2) if rng.integers(2) else (items, 3)))
    exposed = bool(rng.integers(2))
    fixed = [1]
    if exposed:
        fixed += range(len(bottoms), len(bottoms) + states)  # Caffe gives the states no gradient, and leaves old ones
        bottoms += [floats(rng, (1, items, outputs)) for _ in range(states)]
    param = f"recurrent_param {{ num_output: {outputs} expose_hidden: {str(exposed).lower()} }}"
    return Case(layer=param, bottoms=bottoms, fixed=fixed, tops=1 + states * exposed, forwards=int(rng.integers(1, 4)))


@generator("LSTM")
def lstm(rng: Rng) -> Case:
    return _recurrent(rng, 2)


@generator("RNN")
def rnn(rng: Rng) -> Case:
    return _recurrent(rng, 1)


@generator("LSTMUnit")
def lstm_unit(rng: Rng) -> Case:
    items, cells = _sizes(rng, 2)
    cont = _cont(rng, 1, items) if rng.integers(2) else floats(rng, (1, items), low=0, high=1)
    return Case(bottoms=[floats(rng, (1, items, cells)), floats(rng, (1, items, 4 * cells)), cont], tops=2, fixed=[2])

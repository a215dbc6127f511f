"""Layers with parameters that are no windows: matrices, factors, summands, slopes, statistics."""

from __future__ import annotations

import numpy as np
from conformance.case import Array, Case, Rng, flag, floats, generator, maybe, shape


@generator("InnerProduct")
def inner_product(rng: Rng) -> Case:
    x = shape(rng, int(rng.integers(1, 5)))
    axis = int(rng.integers(-len(x), len(x)))
    param = f"num_output: {rng.integers(1, 8)} axis: {axis} transpose: {flag(rng)} " + maybe(rng, "bias_term: false")
    return Case(layer=f"inner_product_param {{ {param} }}", bottoms=[floats(rng, x)])


def _stretched(rng: Rng) -> tuple[str, list[Array]]:
    """Axis parameters, and one bottom or two, as Scale and Bias take them."""
    x = shape(rng, int(rng.integers(1, 6)))
    axis = int(rng.integers(0, len(x)))
    count = int(rng.integers(0, len(x) - axis + 1))
    place = axis - int(rng.integers(2)) * len(x)
    if rng.integers(2):
        return f"axis: {place} ", [floats(rng, x), floats(rng, x[axis : axis + count])]
    number = -1 if axis + count == len(x) and rng.integers(2) else count
    return f"axis: {place} num_axes: {number} ", [floats(rng, x)]


@generator("Bias")
def bias(rng: Rng) -> Case:
    param, bottoms = _stretched(rng)
    return Case(layer=f"bias_param {{ {param}}}", bottoms=bottoms, in_place=bool(rng.integers(2)))


@generator("Scale")
def scale(rng: Rng) -> Case:
    param, bottoms = _stretched(rng)
    param += maybe(rng, "bias_term: true ")
    return Case(layer=f"scale_param {{ {param}}}", bottoms=bottoms, in_place=bool(rng.integers(2)))


@generator("PReLU")
def prelu(rng: Rng) -> Case:
    shared = maybe(rng, "prelu_param { channel_shared: true }")
    x = floats(rng, shape(rng, int(rng.integers(2, 5))))
    return Case(layer=shared, bottoms=[x], in_place=bool(rng.integers(2)))


@generator("BatchNorm", debian="the everyday build normalises with the stored statistics even when training")
def batch_norm(rng: Rng) -> Case:
    """Two passes, for the first one's statistics show in the blobs and, with stored ones, in the second."""
    x = shape(rng, int(rng.integers(2, 5)), most=3)
    channels = [x[1]]
    weight = rng.choice([0, 1, 3.5])
    blobs = [floats(rng, channels), floats(rng, channels, low=0.5, high=3), np.full(1, weight, np.float32)]
    eps = 10 ** rng.uniform(-5, -1)
    stored = rng.choice(["", "use_global_stats: true ", "use_global_stats: false "])
    param = f"batch_norm_param {{ {stored}moving_average_fraction: {rng.uniform(0.1, 1):.3f} eps: {eps:.2e} }}"
    phase = maybe(rng, "phase: TEST ")
    scale, shift = rng.uniform(0.5, 3), rng.normal()
    bottom = (scale * floats(rng, x) + shift).astype(np.float32)
    return Case(layer=phase + param, bottoms=[bottom], blobs=blobs, forwards=2, in_place=bool(rng.integers(2)))

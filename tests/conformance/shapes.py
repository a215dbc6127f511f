"""Layers that move values about: cut, join, repeat, choose, give another shape."""

from __future__ import annotations

import numpy as np
from conformance.case import Case, Rng, floats, generator, maybe, shape, whole


@generator("Concat")
def concat(rng: Rng) -> Case:
    first = shape(rng, int(rng.integers(2, 6)))
    axis = int(rng.integers(-len(first), len(first)))
    place = axis % len(first)
    sizes = [first[place], *(int(size) for size in rng.integers(1, 6, size=rng.integers(0, 4)))]
    bottoms = [floats(rng, (*first[:place], size, *first[place + 1 :])) for size in sizes]
    return Case(
        layer=f"concat_param {{ {rng.choice(['axis', 'concat_dim']) if axis >= 0 else 'axis'}: {axis} }}",
        bottoms=bottoms,
    )


@generator("Slice")
def slice_(rng: Rng) -> Case:
    x = list(shape(rng, int(rng.integers(1, 6))))
    axis = int(rng.integers(-len(x), len(x)))
    tops = int(rng.integers(1, 5))
    name = "slice_dim" if axis >= 0 and rng.integers(2) else "axis"
    if rng.integers(2):
        x[axis] = tops * int(rng.integers(1, 4))
        points = ""
    else:
        x[axis] = tops + int(rng.integers(0, 5))
        cuts = sorted(rng.choice(np.arange(1, x[axis]), size=tops - 1, replace=False)) if tops > 1 else []
        points = "".join(f"slice_point: {cut} " for cut in cuts)
    return Case(layer=f"slice_param {{ {points}{name}: {axis} }}", bottoms=[floats(rng, x)], tops=tops)


@generator("Split")
def split(rng: Rng) -> Case:
    return Case(bottoms=[floats(rng, shape(rng))], tops=int(rng.integers(1, 5)))


@generator("Silence")
def silence(rng: Rng) -> Case:
    """Beside a layer that reads the first of its bottoms too, so that there is something to compare."""
    bottoms = [floats(rng, shape(rng)) for _ in range(rng.integers(1, 4))]
    net = Case(layer="power_param { scale: 2 }", bottoms=bottoms[:1]).prototxt("Power")
    inputs = Case(bottoms=bottoms, tops=0).prototxt("Silence")
    return Case(net=inputs + net[net.index('layer { name: "one"') :].replace('"one"', '"two"'), bottoms=bottoms)


@generator("Input")
def input_(rng: Rng) -> Case:
    """Seen through a layer that doubles it, for an input that is an output too has no gradient of its own."""
    return Case(
        net=Case(layer="power_param { scale: 2 }", bottoms=(x := [floats(rng, shape(rng))])).prototxt("Power"),
        bottoms=x,
    )


@generator("Parameter")
def parameter(rng: Rng) -> Case:
    dims = " ".join(f"dim: {size}" for size in shape(rng))
    return Case(layer=f"parameter_param {{ shape {{ {dims} }} }}")


@generator("Flatten")
def flatten(rng: Rng) -> Case:
    x = shape(rng, int(rng.integers(2, 6)))
    start = int(rng.integers(0, len(x)))
    end = int(rng.integers(max(0, start - 1), len(x)))  # right before the start it puts an axis of size 1 in
    start, end = (place - int(rng.integers(2)) * len(x) for place in (start, end))
    return Case(layer=f"flatten_param {{ axis: {start} end_axis: {end} }}", bottoms=[floats(rng, x)])


@generator("Reshape")
def reshape(rng: Rng) -> Case:
    x = shape(rng, int(rng.integers(1, 6)))
    start = int(rng.integers(0, len(x) + 1))
    count = int(rng.integers(0, len(x) - start + 1))
    part = x[start : start + count]
    dims = [int(size) for size in rng.permutation([*part, *[1] * int(rng.integers(0, 3))])]
    dims = [
        0 if start + i < len(x) and size == x[start + i] and rng.integers(2) else size for i, size in enumerate(dims)
    ]
    if dims and rng.integers(2):
        dims[rng.integers(len(dims))] = -1
    axis = start if rng.integers(2) else start - len(x) - 1
    number = "" if start + count == len(x) and rng.integers(2) else f"num_axes: {count}"
    text = f"reshape_param {{ shape {{ {' '.join(f'dim: {size}' for size in dims)} }} axis: {axis} {number} }}"
    return Case(layer=text, bottoms=[floats(rng, x)])


@generator("Tile")
def tile(rng: Rng) -> Case:
    x = shape(rng)
    axis = int(rng.integers(-len(x), len(x)))
    axis = axis if len(x) > 1 else 0
    return Case(layer=f"tile_param {{ tiles: {rng.integers(1, 5)} axis: {axis} }}", bottoms=[floats(rng, x)])


@generator("Crop")
def crop(rng: Rng) -> Case:
    x = shape(rng, int(rng.integers(2, 6)), most=7)
    axis = int(rng.integers(0, len(x)))
    part = [int(rng.integers(1, size + 1)) for size in x[axis:]]
    room = [size - length for size, length in zip(x[axis:], part, strict=True)]
    one = rng.integers(2)
    offsets = [int(rng.integers(0, min(room) + 1))] if one else [int(rng.integers(0, left + 1)) for left in room]
    text = "".join(f"offset: {offset} " for offset in offsets) if offsets != [0] else ""
    place = axis - int(rng.integers(2)) * len(x)
    # the axes before and behind do not matter
    like = np.zeros((*rng.integers(1, 4, size=axis), *part, *rng.integers(1, 4, size=rng.choice([0, 1]))), np.float32)
    return Case(layer=f"crop_param {{ {text}axis: {place} }}", bottoms=[floats(rng, x), like])


@generator("BatchReindex")
def batch_reindex(rng: Rng) -> Case:
    x = shape(rng)
    return Case(bottoms=[floats(rng, x), whole(rng, [int(rng.integers(1, 9))], x[0])], fixed=[1])


@generator("Filter")
def filter_(rng: Rng) -> Case:
    count, items = int(rng.integers(1, 4)), int(rng.integers(2, 7))
    bottoms = [floats(rng, (items, *shape(rng, int(rng.integers(0, 4))))) for _ in range(count)]
    choice = whole(rng, [items, *[1] * int(rng.integers(0, 4))], 3)
    choice[rng.integers(items)] = 1  # of none, Caffe makes blobs that numpy cannot show
    return Case(bottoms=[*bottoms, choice], tops=count, fixed=[count])


@generator("Embed")
def embed(rng: Rng) -> Case:
    rows = int(rng.integers(2, 9))
    param = f"num_output: {rng.integers(1, 7)} input_dim: {rows} " + maybe(rng, "bias_term: false")
    return Case(layer=f"embed_param {{ {param} }}", bottoms=[whole(rng, shape(rng), rows)], fixed=[0])

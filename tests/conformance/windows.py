"""Layers that look through windows: convolution, pooling, and local normalisation."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.case import Case, Rng, floats, generator, maybe, picture


def _window(rng: Rng, sizes: Sequence[int], *, dilation: bool = True) -> tuple[str, list[int]]:
    """Kernel, stride, pad and dilation for those spatial sizes in one spelling of many; and the reach of the window."""
    kernel = [int(rng.integers(1, min(4, size) + 1)) for size in sizes]
    stride = [int(rng.integers(1, 4)) for _ in sizes]
    pad = [int(rng.integers(0, 3)) for _ in sizes]
    spread = [
        1 + int(dilation and rng.integers(2) and (size + 2 * p) > 2 * k)
        for size, p, k in zip(sizes, pad, kernel, strict=True)
    ]
    if rng.integers(3) == 0:  # one number for all axes
        kernel, stride, pad = ([min(values)] * len(sizes) for values in (kernel, stride, pad))
        text = f"kernel_size: {kernel[0]} stride: {stride[0]} pad: {pad[0]} "
    elif len(sizes) == 2 and rng.integers(2):
        text = f"kernel_h: {kernel[0]} kernel_w: {kernel[1]} stride_h: {stride[0]} stride_w: {stride[1]} "
        # a side that is not padded may be left out
        text += "".join(f"pad_{side}: {p} " for side, p in zip("hw", pad, strict=True) if p or rng.integers(2))
    else:
        text = "".join(
            "".join(f"{what}: {value} " for value in values)
            for what, values in (("kernel_size", kernel), ("stride", stride), ("pad", pad))
        )
    spread = [
        s if size + 2 * p >= s * (k - 1) + 1 else 1 for s, size, p, k in zip(spread, sizes, pad, kernel, strict=True)
    ]
    if max(spread) > 1:
        text += "".join(f"dilation: {s} " for s in spread)
    return text, [s * (k - 1) + 1 - 2 * p for s, k, p in zip(spread, kernel, pad, strict=True)]


def _sides(rng: Rng, axes: int) -> tuple[int, ...]:
    """Spatial sizes, no two alike."""
    return tuple(int(side) for side in rng.choice(range(4, 9 if axes < 3 else 7), size=axes, replace=False))


def _learned(rng: Rng) -> Case:
    """A Convolution or Deconvolution over 1 to 3 axes, with groups, on one bottom or two."""
    group = int(rng.integers(1, 4))
    channels, outputs = group * int(rng.integers(1, 4)), group * int(rng.integers(1, 4))
    axes = int(rng.choice([1, 2, 2, 2, 3]))
    sides = _sides(rng, axes)
    window, reach = _window(rng, sides)
    lead = tuple(int(size) for size in rng.integers(2, 4, size=rng.choice([1, 1, 2])))
    axis = len(lead) - int(rng.integers(2)) * (len(lead) + 1 + axes)
    # large enough for a top of at least one value, in either direction
    grown = tuple(max(side, least, 2 - least) for side, least in zip(sides, reach, strict=True))
    more = maybe(rng, "bias_term: false ") + maybe(rng, "force_nd_im2col: true ")
    bottoms = [floats(rng, (*lead, channels, *grown)) for _ in range(rng.choice([1, 1, 2]))]
    param = f"num_output: {outputs} group: {group} axis: {axis} {window}{more}"
    return Case(layer=f"convolution_param {{ {param} }}", bottoms=bottoms, tops=len(bottoms))


@generator("Convolution")
def convolution(rng: Rng) -> Case:
    return _learned(rng)


@generator("Deconvolution")
def deconvolution(rng: Rng) -> Case:
    return _learned(rng)


@generator("Im2col")
def im2col(rng: Rng) -> Case:
    axes = int(rng.choice([1, 2, 2, 3]))
    sides = _sides(rng, axes)
    window, _ = _window(rng, sides)
    more = maybe(rng, "force_nd_im2col: true ")
    lead = tuple(int(size) for size in rng.integers(1, 4, size=rng.choice([1, 1, 2])))
    axis = len(lead) - int(rng.integers(2)) * (len(lead) + 1 + axes)
    x = floats(rng, (*lead, 3, *sides))
    return Case(layer=f"convolution_param {{ axis: {axis} {window}{more}}}", bottoms=[x])


@generator("Pooling")
def pooling(rng: Rng) -> Case:
    x = picture(rng, least=2)
    pool = rng.choice(["MAX", "AVE"])
    mode = maybe(rng, f"round_mode: {rng.choice(['CEIL', 'FLOOR'])} ")
    tops = 2 if pool == "MAX" and rng.integers(3) == 0 else 1
    if rng.integers(5) == 0:
        return Case(layer=f"pooling_param {{ pool: {pool} global_pooling: true }}", bottoms=[floats(rng, x)], tops=tops)
    kernel = [int(rng.integers(1, 5)) for _ in range(2)]
    # a stride beyond the kernel can put a window outside the picture, where Caffe writes to places out of its blobs
    stride = [int(rng.integers(1, size + 1)) for size in kernel]
    pad = [int(rng.integers(0, size)) for size in kernel]
    square = rng.integers(3) == 0
    if square:
        kernel, stride, pad = ([min(values)] * 2 for values in (kernel, stride, pad))
    # larger than the padded picture by less than a stride, if that rounds up
    over = [0 if "FLOOR" in mode else step - 1 for step in stride]
    most = [side + 2 * p + more for side, p, more in zip(x[2:], pad, over, strict=True)]
    kernel = [min(size, limit) for size, limit in zip(kernel, [min(most)] * 2 if square else most, strict=True)]
    if square:
        window = f"kernel_size: {kernel[0]} stride: {stride[0]} pad: {pad[0]} "
    else:
        window = (
            f"kernel_h: {kernel[0]} kernel_w: {kernel[1]} stride_h: {stride[0]} stride_w: {stride[1]} "
            f"pad_h: {pad[0]} pad_w: {pad[1]} "
        )
    return Case(layer=f"pooling_param {{ pool: {pool} {window}{mode}}}", bottoms=[floats(rng, x)], tops=tops)


@generator("SPP")
def spp(rng: Rng) -> Case:
    """Sizes for which Caffe finds its padding smaller than its windows."""
    height = int(rng.integers(1, 4))
    sides = [4, 6, 7, 8, 11, 12, 13, 15, 16] if height == 3 else range(3, 13)
    x = (
        *(int(size) for size in rng.integers(2, 4, size=2)),
        *(int(side) for side in rng.choice(sides, size=2, replace=False)),
    )
    param = f"pyramid_height: {height} pool: {rng.choice(['MAX', 'AVE'])}"
    return Case(layer=f"spp_param {{ {param} }}", bottoms=[floats(rng, x)])


@generator("LRN")
def lrn(rng: Rng) -> Case:
    x = picture(rng)
    size = int(rng.choice([1, 3, 5, 9]))
    region = rng.choice(["ACROSS_CHANNELS", "WITHIN_CHANNEL"])
    param = (
        f"local_size: {size} alpha: {rng.uniform(0.01, 2):.3f} beta: {rng.uniform(0.2, 1.5):.3f} "
        f"norm_region: {region} k: {rng.uniform(0.5, 3):.3f}"
    )
    return Case(layer=f"lrn_param {{ {param} }}", bottoms=[floats(rng, x)])

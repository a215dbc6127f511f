"""Scale factors and biases that are broadcast over the other axes of a blob: shared by Scale and Bias.

Source: src/caffe/layers/scale_layer.cpp, bias_layer.cpp (LayerSetUp and Reshape).
"""

from __future__ import annotations

from torch import Tensor

from workflow.layers.base import Layer, Shape, axis_of


def covered_shape(layer: Layer, shape: Shape, axis: int, num_axes: int) -> Shape:
    """The part of a bottom's shape that a learned blob has: `num_axes` axes from `axis` on, -1 for all the rest.

    Raises:
        NetError: the bottom has fewer axes.
    """
    axis = axis_of(layer, axis, len(shape))
    if num_axes < -1:
        raise layer.fail(f"num_axes={num_axes}, expected -1 or more")
    if axis + num_axes > len(shape):
        raise layer.fail(f"bottom of shape {shape} has no {num_axes} axes from axis {axis} on")
    return shape[axis:] if num_axes == -1 else shape[axis : axis + num_axes]


def stretched(layer: Layer, blob: Tensor, x: Tensor, axis: int) -> Tensor:
    """`blob` with axes of size 1 appended, so it broadcasts over the axes of `x` from `axis` on.

    Raises:
        NetError: its sizes are not those of `x` there.
    """
    axis = 0 if blob.dim() == 0 else axis_of(layer, axis, x.dim())
    end = axis + blob.dim()
    if tuple(x.shape[axis:end]) != tuple(blob.shape):
        raise layer.fail(
            f"bottom of shape {tuple(x.shape)} has no axes of sizes {tuple(blob.shape)} from axis {axis} on"
        )
    return blob.reshape((*blob.shape, *[1] * (x.dim() - end)))

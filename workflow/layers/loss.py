"""Shared parts of loss layers: normalisation, and the check for equal numbers of items."""

from __future__ import annotations

from workflow.formats import caffe_pb2
from workflow.layers.base import Layer, Shape

LossParameter = caffe_pb2.LossParameter
Mode = caffe_pb2.LossParameter.NormalizationMode
TINY = 1e-20
"""The least probability whose logarithm is taken, where probabilities are the input (kLOG_THRESHOLD)."""


def mode_of(param: LossParameter, *, default: Mode = LossParameter.VALID) -> Mode:
    """The mode that `loss_param` asks for; the older `normalize` counts where the newer field is silent."""
    if not param.HasField("normalization") and param.HasField("normalize"):
        return LossParameter.VALID if param.normalize else LossParameter.BATCH_SIZE
    return param.normalization if param.HasField("normalization") else default


def normalizer(mode: Mode, *, outer: int, inner: int, valid: int) -> float:
    """What the sum over all items is divided by; at least 1, so that a batch of ignored labels gives 0.

    Args:
        mode: FULL all places, VALID those not ignored, BATCH_SIZE `outer`, NONE 1.
        outer: product of the dimensions before the axis of the classes.
        inner: product of those after it.
        valid: places whose label is not ignored.

    Source: get_normalizer in src/caffe/layers/softmax_loss_layer.cpp, sigmoid_cross_entropy_loss_layer.cpp and
    infogain_loss_layer.cpp.
    """
    count = {
        LossParameter.FULL: outer * inner,
        LossParameter.VALID: valid,
        LossParameter.BATCH_SIZE: outer,
        LossParameter.NONE: 1,
    }[mode]
    return max(1.0, float(count))


def check_batches(layer: Layer, *bottoms: Shape) -> None:
    """Refuse bottoms with no axis, or with other numbers of items (LossLayer::Reshape).

    Raises:
        NetError: names the shapes.
    """
    if not all(bottoms) or len({shape[0] for shape in bottoms}) > 1:
        shapes = ", ".join(str(tuple(shape)) for shape in bottoms)
        raise layer.fail(f"bottoms of shapes {shapes}, expected equal first dimensions")

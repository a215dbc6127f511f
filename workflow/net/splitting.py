"""Which nets can compute a batch in parts, row by row, with the same result."""

from __future__ import annotations

from collections.abc import Mapping

from workflow.errors import NetError
from workflow.net.spec import LayerSpec, NetSpec

Shape = tuple[int, ...]

_BY_ROWS = {
    "AbsVal", "Accuracy", "ArgMax", "Axpy", "BNLL", "Clip", "ContrastiveLoss", "Convolution", "Data", "Deconvolution",
    "Dropout", "DummyData", "ELU", "Eltwise", "Embed", "EuclideanLoss", "Exp", "Flatten", "HDF5Data", "HingeLoss",
    "Im2col", "ImageData", "Interp", "LRN", "Log", "MVN", "MultinomialLogisticLoss", "Normalize", "PReLU", "Pooling",
    "Power", "ReLU", "ReLU6", "Reshape", "SPP", "ShuffleChannel", "Sigmoid", "SigmoidCrossEntropyLoss", "Silence",
    "Split", "Swish", "TanH", "Threshold", "Upsample", "WindowData",
}  # fmt: skip
"""Types whose rows of the tops depend on the same rows of the bottoms alone, whatever their settings."""

_BEHIND_AXIS = {
    "Concat": "concat_param", "Crop": "crop_param", "InfogainLoss": "infogain_loss_param",
    "InnerProduct": "inner_product_param", "Reduction": "reduction_param", "Slice": "slice_param",
    "Softmax": "softmax_param", "SoftmaxWithLoss": "softmax_param", "Tile": "tile_param",
}  # fmt: skip
"""Types of which that holds where the `axis` in this field is not 0."""

_ALONG_AXIS = {"Scale": "scale_param", "Bias": "bias_param"}
"""Of two bottoms, the second lies along the axes from `axis` on: then it must be 0. With one, it must not."""

_OLD_AXES = {"Concat": "concat_dim", "Slice": "slice_dim"}


def check_rows(spec: NetSpec, shapes: Mapping[str, Shape]) -> int:
    """The rows of the net's batch, which may be dealt out.

    Args:
        spec: in TRAIN phase.
        shapes: of its blobs, by name.

    Raises:
        NetError: T20, a layer mixes rows; it is named.
    """
    batches: dict[str, int] = {}
    for layer in spec.layers:
        reason = _reason(layer, shapes)
        if reason is not None:
            raise cannot_split(layer, reason)
        if not layer.bottoms:
            batches.update((top, shapes[top][0] if shapes[top] else 0) for top in layer.tops)
    if len(set(batches.values())) != 1 or not all(batches.values()):
        sizes = ", ".join(f"'{top}' {size}" for top, size in batches.items()) or "none"
        raise NetError(
            f"a batch cannot be split where its blobs have different numbers of rows: {sizes}", hint=_EACH, fault="T20"
        )
    return next(iter(batches.values()))


_EACH = "--batch each lets every worker compute a whole batch of its own"


def cannot_split(layer: LayerSpec, reason: str) -> NetError:
    """The error that a layer stands in the way, whose reason completes "its batch cannot be split: it ..."."""
    return NetError(
        f"layer '{layer.name}' ({layer.type}): its batch cannot be split among workers: it {reason}",
        hint=_EACH,
        fault="T20",
    )


def _reason(layer: LayerSpec, shapes: Mapping[str, Shape]) -> str | None:
    """Why a layer cannot work on some rows alone; None where it can."""
    if layer.type not in ("Silence", "Split") and any(not shapes[bottom] for bottom in layer.bottoms):
        return "reads a number that belongs to the whole batch"
    if layer.type == "BatchNorm":
        return None if layer.message.batch_norm_param.use_global_stats else "computes with the batch's own mean"
    if layer.type == "Accuracy" and len(layer.tops) > 1:
        return "counts the items of each class of the whole batch"
    if layer.type == "Permute":
        return None if list(layer.message.permute_param.order)[:1] in ([], [0]) else "moves axis 0"
    if layer.type in _BY_ROWS:
        return None
    field = _BEHIND_AXIS.get(layer.type) or _ALONG_AXIS.get(layer.type)
    if field is None:
        return "may use several rows at once"
    along = layer.type in _ALONG_AXIS and len(layer.bottoms) > 1
    return None if (_axis(layer, field, len(shapes[layer.bottoms[0]])) == 0) == along else "works along axis 0"


def _axis(layer: LayerSpec, field: str, rank: int) -> int:
    param = getattr(layer.message, field)
    old = _OLD_AXES.get(layer.type)
    axis: int = getattr(param, old) if old is not None and param.HasField(old) else param.axis
    return axis % rank if rank else axis

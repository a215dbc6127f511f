"""What a number that belongs to a whole batch is made of, where its rows are computed in parts.

A part's loss is a mean over the part. Times the part's share of what the mean is over, the parts' losses add up to the
loss of the whole batch, and so do their gradients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from workflow.formats import caffe_pb2
from workflow.layers import Layer
from workflow.layers.loss import LossParameter, mode_of

Kind = Literal["rows", "counted", "sum"]
"""A mean over rows, a mean over those items whose label is not ignored, or a sum."""

_DEFAULT_MODES = {
    "SoftmaxWithLoss": LossParameter.VALID,
    "InfogainLoss": LossParameter.VALID,
    "SigmoidCrossEntropyLoss": LossParameter.BATCH_SIZE,
}


def kind_of(layer: Layer) -> Kind:
    """What a number at a top of a layer is over the rows; a blob with rows, whose sum has a loss weight, is `sum`."""
    if layer.spec.type == "Accuracy":
        return "counted" if layer.message.accuracy_param.HasField("ignore_label") else "rows"
    if layer.spec.type not in _DEFAULT_MODES:
        return "rows"
    mode = mode_of(layer.message.loss_param, default=_DEFAULT_MODES[layer.spec.type])
    if mode == LossParameter.NONE:
        return "sum"
    return "counted" if mode == LossParameter.VALID and layer.message.loss_param.HasField("ignore_label") else "rows"


def counts(layers: Sequence[Layer], blobs: Mapping[str, Tensor]) -> Tensor:
    """How many labels each of these layers, all of kind `counted`, does not ignore: int64 (layers,)."""
    found = [(blobs[one.spec.bottoms[1]].detach().long() != _ignored(one)).sum() for one in layers]
    return torch.stack(found).cpu() if found else torch.zeros(0, dtype=torch.int64)


def _ignored(layer: Layer) -> int:
    param: LossParameter | caffe_pb2.AccuracyParameter = layer.message.loss_param
    if layer.spec.type == "Accuracy":
        param = layer.message.accuracy_param
    return param.ignore_label

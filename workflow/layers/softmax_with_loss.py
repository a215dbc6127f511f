"""SoftmaxWithLoss."""

from __future__ import annotations

import torch
from torch import Tensor

from workflow.layers.base import Layer, Shape, axis_of, layer
from workflow.layers.labels import check_range, scores_and_labels
from workflow.layers.loss import check_batches, mode_of, normalizer

_TINY = torch.finfo(torch.float32).tiny


@layer("SoftmaxWithLoss", bottoms=2, tops=1)
class SoftmaxWithLoss(Layer):
    """The mean negative logarithm of the probability given to the right class.

    bottom[0]  scores  (N, C, ...)          bottom[1]  labels  (N, ...)  outer x inner class numbers, 0..C-1
    top[0]     loss    ()                   -sum log max(p[label], FLT_MIN) / Z

    Z by `loss_param.normalization`: VALID labels that are not ignored, FULL all labels, BATCH_SIZE the product of
    the dimensions before `softmax_param.axis`, NONE 1; at least 1, so that a batch of ignored labels gives 0.
    Source: src/caffe/layers/softmax_loss_layer.cpp. The second top (the probabilities) is refused: in Caffe no
    number of loss weights gets past its checks either.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        check_batches(self, *bottoms)
        axis_of(self, self.message.softmax_param.axis, len(bottoms[0]))
        return [()]

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        axis = axis_of(self, self.message.softmax_param.axis, x.dim())
        scores, target = scores_and_labels(self, x, labels, axis)
        logs = torch.log_softmax(scores.float(), dim=1)  # (outer, classes, inner)
        param = self.message.loss_param
        ignored = target == param.ignore_label if param.HasField("ignore_label") else None
        check_range(self, target, scores.shape[1], ignored)
        if ignored is not None:
            target = target.masked_fill(ignored, 0)
        picked = logs.gather(1, target.unsqueeze(1)).squeeze(1)  # (outer, inner)
        # Caffe caps the loss of an item at -log(FLT_MIN) but not its gradient
        capped = picked.detach().clamp(min=_LOG_TINY) + (picked - picked.detach())
        if ignored is not None:
            capped = capped.masked_fill(ignored, 0.0)
        valid = target.numel() - (int(ignored.sum()) if ignored is not None else 0)
        outer, _, inner = scores.shape
        return -capped.sum() / normalizer(mode_of(param), outer=outer, inner=inner, valid=valid)


_LOG_TINY = float(torch.log(torch.tensor(_TINY)))

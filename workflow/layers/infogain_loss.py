"""InfogainLoss."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from workflow.formats.matrix import read_matrix
from workflow.layers.base import Layer, Shape, axis_of, layer
from workflow.layers.labels import check_range, scores_and_labels
from workflow.layers.loss import TINY, check_batches, mode_of, normalizer
from workflow.net.spec import LayerSpec


@layer("InfogainLoss", bottoms=(2, 3), tops=(1, 2))
class InfogainLoss(Layer):
    """A softmax loss in which each pair of right and given class has a weight of its own.

    bottom[0]  scores  (N, C, ...)  not probabilities        bottom[1]  labels  outer x inner class numbers, 0..C-1
    bottom[2]  H       C x C numbers; else `infogain_loss_param.source` names a binaryproto that holds them
    top[0]     loss    ()           -sum_k H[label, k] log max(p_k, 1e-20) / Z, p = softmax(scores)
    top[1]     p       as the scores, without gradient

    Z by `loss_param.normalization`, VALID if it is silent; the older `normalize` is refused, as in Caffe. With the
    identity as H it is SoftmaxWithLoss. Source: src/caffe/layers/infogain_loss_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        param = self.message.infogain_loss_param
        if self.message.loss_param.HasField("normalize"):
            raise self.fail("`normalize` is not known to this type", hint="write `normalization: VALID` or another")
        if len(spec.bottoms) == 3:
            self.matrix = None
        elif param.source:
            self.matrix = torch.from_numpy(read_matrix(folder / param.source))
        else:
            raise self.fail("neither a source of the matrix nor a third bottom")

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        check_batches(self, *bottoms[:2])
        self._axis(bottoms[0])
        return [(), bottoms[0]][: len(self.spec.tops)]

    def _axis(self, shape: Shape) -> int:
        return axis_of(self, self.message.infogain_loss_param.axis, len(shape))

    def forward(self, x: Tensor, labels: Tensor, matrix: Tensor | None = None) -> list[Tensor]:
        check_batches(self, x.shape, labels.shape)
        scores, target = scores_and_labels(self, x, labels, self._axis(tuple(x.shape)))
        outer, classes, inner = scores.shape
        param = self.message.loss_param
        ignored = target == param.ignore_label if param.HasField("ignore_label") else torch.zeros_like(target).bool()
        check_range(self, target, classes, ignored)
        rows = self._weights(matrix, classes).to(target.device)[
            target.masked_fill(ignored, 0)
        ]  # (outer, inner, classes)
        logs = torch.log_softmax(scores.float(), dim=1)
        probabilities = logs.detach().exp()
        # the limit has no part in the gradient
        limited = probabilities.clamp(min=TINY).log() + (logs - logs.detach())
        costs = -(rows * limited.movedim(1, -1)).sum(dim=-1).masked_fill(ignored, 0.0)
        valid = target.numel() - int(ignored.sum())
        loss = costs.sum() / normalizer(mode_of(param), outer=outer, inner=inner, valid=valid)
        return [loss, probabilities.reshape(x.shape)][: len(self.spec.tops)]

    def _weights(self, matrix: Tensor | None, classes: int) -> Tensor:
        weights = self.matrix if matrix is None else matrix.detach()
        if weights is None or weights.numel() != classes * classes:
            count = 0 if weights is None else weights.numel()
            raise self.fail(f"the matrix has {count} numbers, expected {classes} x {classes} for {classes} classes")
        return weights.float().reshape(classes, classes)

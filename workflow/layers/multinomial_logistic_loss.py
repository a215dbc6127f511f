"""MultinomialLogisticLoss."""

from __future__ import annotations

from torch import Tensor

from workflow.layers.base import Layer, Shape, layer
from workflow.layers.labels import check_range
from workflow.layers.loss import TINY, check_batches


@layer("MultinomialLogisticLoss", bottoms=2, tops=1)
class MultinomialLogisticLoss(Layer):
    """The mean negative logarithm of the probability of the right class; its input are probabilities, not scores.

    bottom[0]  p  (N, ...)  C probabilities an item, up to 4 axes        bottom[1]  labels  (N,)  0..C-1
    top[0]     loss  ()     -sum log max(p[label], 1e-20) / N

    The gradient is -1 / (N max(p, 1e-20)), also below that limit.
    Source: src/caffe/layers/multinomial_logistic_loss_layer.cpp.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        check_batches(self, *bottoms)
        if max(map(len, bottoms)) > 4 or any(size != 1 for size in bottoms[1][1:]):
            raise self.fail(f"labels of shape {bottoms[1]}, expected one an item: ({bottoms[0][0]},)")
        return [()]

    def forward(self, p: Tensor, labels: Tensor) -> Tensor:
        self.top_shapes(tuple(p.shape), tuple(labels.shape))
        items = p.shape[0]
        probabilities = p.float().reshape(items, -1)  # (N, C)
        target = labels.reshape(-1).long()
        check_range(self, target, probabilities.shape[1], None)
        picked = probabilities.gather(1, target.unsqueeze(1))
        limited = picked.detach().clamp(min=TINY)
        logs = limited.log() + (picked - picked.detach()) / limited  # the second term is 0: it is there for its slope
        return -logs.sum() / items

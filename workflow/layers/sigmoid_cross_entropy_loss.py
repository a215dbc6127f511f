"""SigmoidCrossEntropyLoss."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from workflow.layers.base import Layer, Shape, layer
from workflow.layers.loss import LossParameter, check_batches, mode_of, normalizer


@layer("SigmoidCrossEntropyLoss", bottoms=2, tops=1)
class SigmoidCrossEntropyLoss(Layer):
    """Cross entropy of independent probabilities sigmoid(x) against targets t.

    bottom[0]  x  (N, ...)  any numbers        bottom[1]  t  as many numbers, 0..1, no gradient
    top[0]     loss  ()     sum(max(x, 0) - x t + log(1 + exp(-|x|))) / Z

    Z is N by default (not the number of elements), or as `loss_param` says; targets whose integer part is
    `ignore_label` count nothing. Source: src/caffe/layers/sigmoid_cross_entropy_loss_layer.cpp.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        check_batches(self, *bottoms)
        return [()]

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        check_batches(self, x.shape, target.shape)
        if x.numel() != target.numel():
            raise self.fail(f"{target.numel()} targets for {x.numel()} inputs, expected as many")
        param = self.message.loss_param
        target = target.detach().float().reshape(x.shape)
        costs = binary_cross_entropy_with_logits(x.float(), target, reduction="none")
        valid = x.numel()
        if param.HasField("ignore_label"):
            ignored = target.long() == param.ignore_label  # cut towards zero, as C++ does
            costs = costs.masked_fill(ignored, 0.0)
            valid -= int(ignored.sum())
        outer = x.shape[0]
        mode = mode_of(param, default=LossParameter.BATCH_SIZE)
        return costs.sum() / normalizer(mode, outer=outer, inner=x[0].numel() if outer else 0, valid=valid)

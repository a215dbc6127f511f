"""RMSProp."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from workflow.formats import caffe_pb2
from workflow.solvers.base import UpdateRule, refuse_momentum, rule


@rule("RMSProp")
class RMSProp(UpdateRule):
    """h = rms_decay h + (1 - rms_decay) g^2; the update is rate g / (sqrt(h) + delta). `momentum` must be 0.

    Tieleman, Hinton: RMSProp (Coursera lecture 6.5, 2012).
    Source: src/caffe/solvers/rmsprop_solver.cpp, ComputeUpdateValue.
    """

    def __init__(self, param: caffe_pb2.SolverParameter, blobs: Sequence[Tensor]) -> None:
        refuse_momentum(param)
        super().__init__(param, blobs)

    def update(self, index: int, gradient: Tensor, rate: float, iteration: int) -> Tensor:
        del iteration
        decay = self.param.rms_decay
        mean = self.history[index].mul_(decay).addcmul_(gradient, gradient, value=1 - decay)
        return gradient.div_(mean.sqrt().add_(self.param.delta)).mul_(rate)

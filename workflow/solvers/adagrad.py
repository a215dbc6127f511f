"""AdaGrad."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from workflow.formats import caffe_pb2
from workflow.solvers.base import UpdateRule, refuse_momentum, rule


@rule("AdaGrad")
class AdaGrad(UpdateRule):
    """h = h + g^2; the update is rate g / (sqrt(h) + delta). `momentum` must be 0.

    Duchi, Hazan, Singer: Adaptive subgradient methods (JMLR 2011).
    Source: src/caffe/solvers/adagrad_solver.cpp, ComputeUpdateValue.
    """

    def __init__(self, param: caffe_pb2.SolverParameter, blobs: Sequence[Tensor]) -> None:
        refuse_momentum(param)
        super().__init__(param, blobs)

    def update(self, index: int, gradient: Tensor, rate: float, iteration: int) -> Tensor:
        del iteration
        total = self.history[index].addcmul_(gradient, gradient)
        return gradient.div_(total.sqrt().add_(self.param.delta)).mul_(rate)

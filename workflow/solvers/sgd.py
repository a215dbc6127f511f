"""SGD with momentum."""

from __future__ import annotations

from torch import Tensor

from workflow.solvers.base import UpdateRule, rule


@rule("SGD")
class SGD(UpdateRule):
    """v = momentum v + rate g; the update is v.

    The rate is inside v: a lower rate does not shrink the momentum gathered before. (torch.optim.SGD keeps
    v = momentum v + g, so the two part when the rate changes.)
    Source: src/caffe/solvers/sgd_solver.cpp, ComputeUpdateValue.
    """

    still_when_frozen = True

    def update(self, index: int, gradient: Tensor, rate: float, iteration: int) -> Tensor:
        del iteration
        return self.history[index].mul_(self.param.momentum).add_(gradient, alpha=rate)

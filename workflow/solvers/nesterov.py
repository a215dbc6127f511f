"""Nesterov's accelerated gradient."""

from __future__ import annotations

from torch import Tensor

from workflow.solvers.base import UpdateRule, rule


@rule("Nesterov")
class Nesterov(UpdateRule):
    """v' = momentum v + rate g; the update is (1 + momentum) v' - momentum v.

    As in SGD the rate is inside v, so each can resume from a solverstate of the other.
    Source: src/caffe/solvers/nesterov_solver.cpp, ComputeUpdateValue.
    """

    still_when_frozen = True

    def update(self, index: int, gradient: Tensor, rate: float, iteration: int) -> Tensor:
        del iteration
        momentum, velocity = self.param.momentum, self.history[index]
        before = velocity.clone()
        velocity.mul_(momentum).add_(gradient, alpha=rate)
        return before.mul_(-momentum).add_(velocity, alpha=1 + momentum)

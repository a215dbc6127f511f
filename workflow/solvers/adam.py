"""Adam."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.solvers.base import UpdateRule, rule


@rule("Adam")
class Adam(UpdateRule):
    """m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2, with b1 = `momentum`, b2 = `momentum2`.

    The update of iteration t = 1, 2, ... is rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + delta). (torch adds its
    eps after correcting v, so the two differ where v is small.) The solverstate holds every m, then every v.

    Kingma, Ba: Adam, a method for stochastic optimization (arXiv 1412.6980).
    Source: src/caffe/solvers/adam_solver.cpp, ComputeUpdateValue.
    """

    slots = 2

    def __init__(self, param: caffe_pb2.SolverParameter, blobs: Sequence[Tensor]) -> None:
        if not (0 <= param.momentum < 1 and 0 <= param.momentum2 < 1):
            raise NetError(f"momentum={param.momentum:g}, momentum2={param.momentum2:g}, expected 0 <= both < 1")
        super().__init__(param, blobs)

    def update(self, index: int, gradient: Tensor, rate: float, iteration: int) -> Tensor:
        beta1, beta2, t = self.param.momentum, self.param.momentum2, iteration + 1
        first, second = self.history[index], self.history[self.count + index]
        first.mul_(beta1).add_(gradient, alpha=1 - beta1)
        second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        correction = math.sqrt(1 - beta2**t) / (1 - beta1**t)
        return (first / second.sqrt().add_(self.param.delta)).mul_(rate * correction)

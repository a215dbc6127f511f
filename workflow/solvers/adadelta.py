"""AdaDelta."""

from __future__ import annotations

from torch import Tensor

from workflow.solvers.base import UpdateRule, rule


@rule("AdaDelta")
class AdaDelta(UpdateRule):
    """AdaDelta: steps scaled by running averages of earlier steps and gradients.

    h = momentum h + (1 - momentum) g^2;  t = g sqrt((d + delta) / (h + delta));
    d = momentum d + (1 - momentum) t^2;  the update is rate t. The solverstate holds every h, then every d.

    Zeiler: ADADELTA, an adaptive learning rate method (arXiv 1212.5701), whose rho is `momentum` here.
    Source: src/caffe/solvers/adadelta_solver.cpp, ComputeUpdateValue.
    """

    slots = 2

    def update(self, index: int, gradient: Tensor, rate: float, iteration: int) -> Tensor:
        del iteration
        momentum, delta = self.param.momentum, self.param.delta
        gradients, steps = self.history[index], self.history[self.count + index]
        gradients.mul_(momentum).addcmul_(gradient, gradient, value=1 - momentum)
        step = gradient.mul_(((steps + delta) / (gradients + delta)).sqrt_())
        steps.mul_(momentum).addcmul_(step, step, value=1 - momentum)
        return step.mul_(rate)

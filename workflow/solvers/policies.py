"""Learning-rate policies.

Source: src/caffe/solvers/sgd_solver.cpp, GetLearningRate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from workflow.errors import NetError, did_you_mean
from workflow.formats import caffe_pb2

POLICIES = ("exp", "fixed", "inv", "multistep", "poly", "sigmoid", "step")


@dataclass
class Rate:
    """The learning rate of a run; `current_step`, of step and multistep, travels in the solverstate.

    fixed      base
    step       base gamma^floor(k / stepsize)
    exp        base gamma^k
    inv        base (1 + gamma k)^-power
    multistep  base gamma^j, j growing by at most 1 a query when k reaches the next stepvalue
    poly       base (1 - k / max_iter)^power
    sigmoid    base / (1 + exp(-gamma (k - stepsize)))
    """

    param: caffe_pb2.SolverParameter
    current_step: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that no iteration could use.

        Raises:
            NetError: lr_policy is missing or unknown, stepsize is not positive or gamma negative where it counts.
        """
        policy, param = self.param.lr_policy, self.param
        if policy not in POLICIES:
            raise NetError(
                f"lr_policy '{policy}' is unknown; known: {', '.join(POLICIES)}",
                hint=did_you_mean(policy, POLICIES) if policy else "set lr_policy in the solver",
            )
        if policy in ("step", "sigmoid") and param.stepsize <= 0:
            raise NetError(f"lr_policy '{policy}': stepsize={param.stepsize}, expected more than 0")
        if policy in ("step", "exp", "inv", "multistep", "sigmoid") and param.gamma < 0:
            raise NetError(f"lr_policy '{policy}': gamma={param.gamma:g}, expected at least 0")

    def at(self, iteration: int) -> float:
        """The rate that the update of iteration k uses (k updates were made before it)."""
        param, k = self.param, iteration
        match param.lr_policy:
            case "step":
                self.current_step = k // param.stepsize
                factor = param.gamma**self.current_step
            case "exp":
                factor = param.gamma**k
            case "inv":
                factor = (1 + param.gamma * k) ** -param.power
            case "multistep":
                factor = self._multistep(k)
            case "poly":
                factor = (1 - k / param.max_iter) ** param.power
            case "sigmoid":
                factor = 1 / (1 + math.exp(-param.gamma * (k - param.stepsize)))
            case _:
                factor = 1.0
        return param.base_lr * factor

    def _multistep(self, iteration: int) -> float:
        values = self.param.stepvalue
        if self.current_step < len(values) and iteration >= values[self.current_step]:
            self.current_step += 1
        return self.param.gamma**self.current_step

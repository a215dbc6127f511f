"""The two halves of an iteration: gradients are summed in the parameters, then turned into an update.

Source: src/caffe/solver.cpp, Solver::Step; src/caffe/solvers/sgd_solver.cpp, ApplyUpdate, ClipGradients, Normalize and
Regularize.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from workflow.engines.torch_cpu.net import Net
from workflow.engines.torch_cpu.parameters import Parameter
from workflow.formats import caffe_pb2
from workflow.solvers import UpdateRule

N_contra = TypeVar("N_contra", contravariant=True)


class Gradients(Protocol[N_contra]):
    """How gradients are computed from a net's passes."""

    def __call__(self, net: N_contra, passes: int, /) -> float:
        """Run the net forward and backward this many times; each parameter's `grad` then holds the sum of gradients.

        Returns:
            The mean loss.
        """
        ...


class Autograd:
    """Whole passes through torch's autograd.

    Args:
        autocast: makes the precision in which forward passes compute.
    """

    def __init__(self, autocast: Callable[[], torch.autocast]) -> None:
        self._autocast = autocast

    def __call__(self, net: Net, passes: int, /) -> float:
        """As `Gradients` says."""
        for parameter in net.learnable:
            parameter.tensor.grad = None
        total = 0.0
        for _ in range(passes):
            with self._autocast():
                loss = net.run()
            if loss.requires_grad:
                loss.backward()  # type: ignore[no-untyped-call]  # torch declares no types for it
            total += float(loss.detach())
        return total / passes


class Update:
    """Clip the sum of gradients, divide it by iter_size, add decay, apply the update rule, subtract the result.

    Args:
        param: the solver's settings; they may change between two updates.
        rule: the solver's type with its history.
        leave_in_gradient: write the update over the gradient, where scripts of pycaffe find it, as Caffe does.
    """

    def __init__(self, param: caffe_pb2.SolverParameter, rule: UpdateRule, *, leave_in_gradient: bool = False) -> None:
        self._param = param
        self._rule = rule
        self._leave = leave_in_gradient

    @torch.no_grad()
    def apply(self, learnable: Sequence[Parameter], rate: float, iteration: int) -> None:
        """Change the parameters.

        Args:
            learnable: in the order of the rule's history.
            rate: learning rate, before each parameter's lr_mult.
            iteration: number of the update, from 0.
        """
        self._clip([one.tensor.grad for one in learnable if one.tensor.grad is not None])
        for index, one in enumerate(learnable):
            if one.rate == 0 and self._rule.still_when_frozen:
                continue
            if one.tensor.grad is None:  # no loss depends on it; its decay and its momentum go on
                one.tensor.grad = torch.zeros_like(one.tensor)
            gradient = one.tensor.grad
            self._normalize_and_decay(gradient, one)
            update = self._rule.update(index, gradient, rate * one.rate, iteration)
            if self._leave:
                gradient.copy_(update)
            one.tensor.sub_(update)

    def _normalize_and_decay(self, gradient: Tensor, one: Parameter) -> None:
        if self._param.iter_size > 1:
            gradient /= self._param.iter_size
        decay = self._param.weight_decay * one.decay
        if decay:
            penalty = one.tensor if self._param.regularization_type == "L2" else one.tensor.sign()
            gradient.add_(penalty, alpha=decay)

    def _clip(self, gradients: Sequence[Tensor]) -> None:
        limit = self._param.clip_gradients
        if limit < 0 or not gradients:
            return
        norm = math.sqrt(sum(float(gradient.double().square().sum()) for gradient in gradients))
        if norm > limit:
            for gradient in gradients:
                gradient *= limit / norm

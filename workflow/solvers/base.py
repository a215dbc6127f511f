"""The interface of update rules, and their registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from workflow.errors import NetError, did_you_mean
from workflow.formats import caffe_pb2

_RULES: dict[str, type[UpdateRule]] = {}


class UpdateRule:
    """Turns the gradient of each parameter into its update, keeping a history in Caffe's order.

    `history` has `slots` blobs for each parameter: all first slots in parameter order, then all second ones, as in
    a solverstate.
    """

    slots = 1
    still_when_frozen = False
    """Whether a rate of 0 leaves the history as it is, so frozen parameters can be skipped."""

    def __init__(self, param: caffe_pb2.SolverParameter, blobs: Sequence[Tensor]) -> None:
        self.param = param
        self.count = len(blobs)
        self.history = [
            torch.zeros_like(blob, memory_format=torch.preserve_format, requires_grad=False)
            for _ in range(self.slots)
            for blob in blobs
        ]

    def update(self, index: int, gradient: Tensor, rate: float, iteration: int) -> Tensor:
        """The tensor to subtract from parameter `index`; may reuse `gradient`'s memory.

        Args:
            index: of the parameter in net order.
            gradient: divided by iter_size and with weight decay added, of the parameter's shape.
            rate: learning rate times the parameter's lr_mult.
            iteration: updates made before this one.
        """
        raise NotImplementedError


def refuse_momentum(param: caffe_pb2.SolverParameter) -> None:
    """Refuse a momentum for rules that have none, as Caffe does.

    Raises:
        NetError: momentum is not 0.
    """
    if param.momentum:
        raise NetError(
            f"solver type '{param.type}' with momentum={param.momentum:g}, expected 0",
            hint="omit momentum, or use type Adam, which has one",
        )


def rule(kind: str) -> Callable[[type[UpdateRule]], type[UpdateRule]]:
    """Register a class as the update rule of solvers of that `type`."""

    def register(cls: type[UpdateRule]) -> type[UpdateRule]:
        if kind in _RULES:
            raise ValueError(f"solver type {kind} is registered twice")
        _RULES[kind] = cls
        return cls

    return register


def rule_types() -> list[str]:
    """The names of all known solver types, sorted."""
    return sorted(_RULES)


def create_rule(param: caffe_pb2.SolverParameter, blobs: Sequence[Tensor]) -> UpdateRule:
    """The update rule of `param.type` over those parameters.

    Raises:
        NetError: the type is unknown; the message lists those known.
    """
    if param.type not in _RULES:
        known = rule_types()
        raise NetError(
            f"solver type '{param.type}' is not known to the torch engine; known: {', '.join(known)}",
            hint=f"{did_you_mean(param.type, known) or ''}; real Caffe may know it: --engine caffe".lstrip("; "),
        )
    return _RULES[param.type](param, blobs)

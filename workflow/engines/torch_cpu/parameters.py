"""The parameters of a net: their blobs, sharing between layers, and learning-rate multipliers.

Source: src/caffe/net.cpp, Net::AppendParam.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from workflow.layers import Layer, ParamBlob
from workflow.net.spec import ParamSpec

Place = tuple[str, int]
"""A layer's name and the number of a parameter blob in it."""


@dataclass
class Parameter:
    """One learnable blob: owned by the first layer that uses it, one entry however many share it."""

    layer: str
    index: int
    tensor: Tensor
    name: str = ""
    lr_mult: float | None = None
    decay_mult: float | None = None

    @property
    def rate(self) -> float:
        """lr_mult (default: 1)."""
        return 1.0 if self.lr_mult is None else self.lr_mult

    @property
    def decay(self) -> float:
        """decay_mult (default: 1)."""
        return 1.0 if self.decay_mult is None else self.decay_mult


class Parameters:
    """All parameter blobs of a net.

    Attributes:
        learnable: in net order, as in a solverstate; a shared blob once.
        shared: (layer, index) of a blob that shares its memory -> (layer, index) of the blob that owns it.
    """

    def __init__(
        self,
        *,
        gradients: bool,
        row_major: bool = False,
        device: torch.device | None = None,
        reshaped: Collection[str] = (),
    ) -> None:
        """No parameters yet.

        Args:
            gradients: whether they gather gradients.
            row_major: whether 4-D ones lie in C order.
            device: where they are; the CPU if None.
            reshaped: names under which layers may share a blob in shapes of their own: such ones lie in C order.
        """
        self._gradients = gradients
        self._row_major = row_major
        self._reshaped = reshaped
        self._device = device
        self.learnable: list[Parameter] = []
        self.shared: dict[Place, Place] = {}
        self._named: dict[str, Parameter] = {}

    def add(self, layer: Layer, declared: Sequence[ParamBlob]) -> list[ParamBlob]:
        """Give `layer` its blobs, unfilled; returns the declarations of those that it owns and must fill.

        Raises:
            NetError: more `param { }` blocks than blobs, or sharers that contradict each other.
        """
        if len(layer.spec.params) > len(declared):
            raise layer.fail(f"{len(layer.spec.params)} param blocks, but the layer has {len(declared)} parameters")
        owned = []
        for index, blob in enumerate(declared):
            spec = layer.spec.params[index] if index < len(layer.spec.params) else ParamSpec()
            if spec.name in self._named:
                layer.blobs.append(self._share(layer, blob, spec))
                owner = self._named[spec.name]
                self.shared[layer.spec.name, index] = (owner.layer, owner.index)
                continue
            # a Python layer's class gets views of them
            row_major = self._row_major or spec.name in self._reshaped or layer.spec.type == "Python"
            tensor = empty(blob.shape, row_major=row_major, device=self._device).requires_grad_(self._gradients)
            layer.blobs.append(tensor)
            owned.append(blob)
            parameter = Parameter(layer.spec.name, index, tensor, spec.name, spec.lr_mult, spec.decay_mult)
            self.learnable.append(parameter)
            if spec.name:
                self._named[spec.name] = parameter
        return owned

    def _share(self, layer: Layer, blob: ParamBlob, spec: ParamSpec) -> Tensor:
        owner = self._named[spec.name]
        shape = tuple(owner.tensor.shape)
        fits = math.prod(shape) == math.prod(blob.shape) if spec.permissive else shape == blob.shape
        if not fits:
            raise layer.fail(f"shares '{spec.name}' of layer '{owner.layer}', whose shape is {shape}, not {blob.shape}")
        for field in ("lr_mult", "decay_mult"):
            mine, theirs = getattr(spec, field), getattr(owner, field)
            if None not in (mine, theirs) and mine != theirs:
                raise layer.fail(
                    f"shares '{spec.name}' with {field} {mine:g}, but layer '{owner.layer}' says {theirs:g}"
                )
            if mine is not None:
                setattr(owner, field, mine)
        return owner.tensor.view(blob.shape)


def empty(shape: Sequence[int], *, row_major: bool = False, device: torch.device | None = None) -> Tensor:
    """Memory for a blob; 4-D weights are channels-last, the fastest for convolution on a CPU, or in C order."""
    layout = torch.channels_last if len(shape) == 4 and not row_major else torch.contiguous_format
    return torch.empty(tuple(shape), memory_format=layout, device=device)

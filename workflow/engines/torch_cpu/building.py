"""Memory for a net: its parameters, shared with another net's or filled, after a check that all of it fits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from workflow.engines.base import Array, Shape
from workflow.engines.torch_cpu.parameters import Parameters
from workflow.formats import blobproto
from workflow.layers import Layer, ParamBlob
from workflow.layers.fillers import fill
from workflow.net.memory import check_memory
from workflow.net.places import at_layer
from workflow.net.spec import NetSpec


@dataclass(frozen=True, kw_only=True)
class Building:
    """How parameters are made.

    Args:
        seed: of the fillers; random numbers are drawn on the CPU, so that they are the same everywhere.
        device: where parameters are.
        row_major: whether 4-D ones lie in C order, for those who hand out views of them; channels-last is faster.
    """

    seed: int
    device: torch.device
    row_major: bool = False

    def parameters(
        self,
        spec: NetSpec,
        layers: Sequence[Layer],
        shapes: Mapping[str, Shape],
        declared: Sequence[Sequence[ParamBlob]],
        theirs: Mapping[str, Sequence[Tensor]],
    ) -> Parameters:
        """Give every layer its parameter blobs.

        Args:
            spec: the net as planned.
            layers: they get `blobs`.
            shapes: of the net's blobs, to estimate their memory.
            declared: for each layer the parameter blobs that it wants.
            theirs: layer name -> blobs of another net that layers of the same name use.

        Raises:
            NetError: X07 the machine has less memory; a filler or blobs in the prototxt do not fit.
        """
        training = spec.phase == "TRAIN"
        own = sum(math.prod(blob.shape) for blobs in declared for blob in blobs)
        held = sum(math.prod(shape) for shape in shapes.values())
        # training holds a gradient beside each value, and a history beside each parameter
        check_memory(4 * (own * (3 if training else 1) + held * (2 if training else 1)))
        made = Parameters(
            gradients=training,
            row_major=self.row_major,
            device=self.device,
            reshaped={one.name for layer in layers for one in layer.spec.params if one.permissive} - {""},
        )
        generator = torch.Generator().manual_seed(self.seed)
        for layer, blobs in zip(layers, declared, strict=True):
            if layer.spec.name in theirs and len(blobs) == len(theirs[layer.spec.name]):
                layer.blobs = list(theirs[layer.spec.name])
                continue
            with at_layer(spec, layer.spec):
                self._fill(layer, made.add(layer, blobs), made, generator)
        for parameter in made.learnable:
            if parameter.rate == 0 and not spec.force_backward:
                parameter.tensor.requires_grad_(False)
        return made

    def _fill(self, layer: Layer, owned: Sequence[ParamBlob], made: Parameters, generator: torch.Generator) -> None:
        """Fill the blobs that the layer owns: from `blobs { }` in the prototxt if it has any, else by fillers."""
        given = [blobproto.to_array(blob) for blob in layer.message.blobs]
        mine = made.learnable[len(made.learnable) - len(owned) :]
        away = self.device.type != "cpu"
        for parameter, blob in zip(mine, owned, strict=True):
            if parameter.index < len(given):
                _copy(parameter.tensor, given[parameter.index], layer)
                continue
            with torch.no_grad():
                values = torch.empty_like(parameter.tensor, device="cpu") if away else parameter.tensor
                fill(values, blob.filler, generator)
                if away:
                    parameter.tensor.copy_(values)


def _copy(tensor: Tensor, array: Array, layer: Layer) -> None:
    if tuple(array.shape) != tuple(tensor.shape):
        raise layer.fail(f"blobs of shape {array.shape} in the prototxt, expected {tuple(tensor.shape)}")
    with torch.no_grad():
        tensor.copy_(torch.from_numpy(array))

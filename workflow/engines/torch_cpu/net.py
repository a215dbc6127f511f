"""A Caffe net on torch that runs as a whole, under pycaffe's names."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workflow.data.rows import Rows
from workflow.engines.base import Array
from workflow.engines.torch_cpu import blocked, joined
from workflow.engines.torch_cpu.built import Built, as_array
from workflow.errors import NetError, did_you_mean
from workflow.layers import Layer
from workflow.net.spec import NetSpec


class Net(Built):
    """A built net; one forward pass fills `blobs`.

    Attributes:
        blobs: name -> tensor after the last forward pass, in net order.
        position: forward passes so far; with `seed` it decides what every layer that is random draws.
        part: the rows of a batch that the next passes compute; None for all of it.
        loss: sum over all tops of loss weight times value, after the last forward pass.
    """

    def __init__(
        self,
        spec: NetSpec,
        *,
        seed: int = 0,
        folder: Path | None = None,
        like: Built | None = None,
        device: torch.device | None = None,
    ) -> None:
        """See `Built`."""
        super().__init__(spec, seed=seed, folder=folder, like=like, device=device)
        self.position = 0
        self.part: Rows | None = None
        self.blobs: Mapping[str, Tensor] = {}
        self.loss = torch.zeros(())
        self._away = self.device.type != "cpu"  # the position of data files and random numbers
        self._trunk = frozenset() if self._away else blocked.trunk(self.layers, self.shapes)
        self._scales = joined.scales(self.layers, self.shapes)

    def start_at(self, position: int) -> None:
        """The next forward pass has this number."""
        self.position = position

    def copy(self) -> Net:
        """A net for another thread, with the same parameters and files; it needs no closing.

        Layers that keep something from one pass to the next are not for two threads.
        """
        other = copy.copy(self)
        other.layers = [copy.copy(layer) for layer in self.layers]
        return other

    def forward(self, **inputs: Array) -> dict[str, Array]:
        """Run the net once; returns the outputs as numpy arrays (pycaffe's `Net.forward`).

        Without inputs, Input layers give zeros.

        Raises:
            NetError: an input is missing, unknown, or a shape does not fit a layer.
        """
        self.run(inputs or None)
        return {name: as_array(self.blobs[name]) for name in self.spec.outputs}

    def run(self, inputs: Mapping[str, Array] | None = None) -> Tensor:
        """One forward pass that leaves tensors in `blobs`; returns the loss, ready for `backward()`."""
        given = {} if inputs is None else self._inputs(inputs)
        trunk = self._trunk if blocked.possible() and self._as_planned(given) else frozenset[int]()
        loss = torch.zeros((), device=self.device)
        self.blobs, self.loss = {}, loss  # this pass takes the memory of the last, still in the cache
        tensors: dict[str, Tensor] = {}
        for number, layer in enumerate(self.layers):
            if number - 1 in self._scales:
                continue
            self._place(layer)
            if layer.spec.type == "Input" and given:
                tops: Sequence[Tensor] = [_copied(given[top], blocked=bool(trunk)) for top in layer.spec.tops]
            else:
                bottoms = blocked.laid_out(self._bottoms(layer, tensors), blocked=number in trunk)
                tops = layer.run(*bottoms, *(self._scales[number].blobs if number in self._scales else ()))
            if self.part is not None and self.part.batch is not None and not (layer.spec.bottoms or layer.takes_part):
                tops = [self.part.of(tensor) for tensor in tops]
            if self._away:  # what layers read from files or make with numpy is on the CPU
                tops = [tensor.to(self.device) for tensor in tops]
            if trunk and not layer.spec.bottoms and not self._as_planned(dict(zip(layer.spec.tops, tops, strict=True))):
                trunk = frozenset()  # a database's records need not be of one size
            for top, tensor, weight in zip(layer.spec.tops, tops, layer.spec.loss_weights, strict=True):
                tensors[top] = tensor if trunk or layer.spec.bottoms else _channels_last(tensor)
                if weight:
                    loss = loss + weight * tensor.float().sum()
        self.blobs, self.loss = blocked.Blobs(tensors), loss
        self.position += 1
        return loss

    def _place(self, layer: Layer) -> None:
        """Tell a layer which pass this is.

        Where each of several processes computes a whole batch, each takes another one of a layer that knows no rows.
        """
        part = self.part
        apart = part is not None and part.batch is None and not layer.takes_part
        layer.seed, layer.part = self.seed, part
        layer.position = self.position * part.parts + part.index if part is not None and apart else self.position

    def _inputs(self, arrays: Mapping[str, Array]) -> dict[str, Tensor]:
        """The inputs as tensors, which may share the arrays' memory."""
        unknown = [name for name in arrays if name not in self.spec.inputs]
        if unknown:
            raise NetError(
                f"net '{self.spec.name}' has no input '{unknown[0]}'",
                hint=did_you_mean(unknown[0], self.spec.inputs) or "it reads from a database",
            )
        missing = [name for name in self.spec.inputs if name not in arrays]
        if missing:
            raise NetError(f"net '{self.spec.name}' was not given its input '{missing[0]}'")
        return {name: torch.from_numpy(np.require(array, np.float32, ["C", "W"])) for name, array in arrays.items()}

    def _as_planned(self, inputs: Mapping[str, Tensor]) -> bool:
        """Whether blobs have the shapes that the net was planned for; the batch size may differ."""
        return all(tensor.shape[1:] == self.shapes[name][1:] for name, tensor in inputs.items())

    def _bottoms(self, layer: Layer, blobs: Mapping[str, Tensor]) -> list[Tensor]:
        tensors = [blobs[bottom] for bottom in layer.spec.bottoms]
        if self.spec.force_backward:  # it overrides propagate_down
            return tensors
        return [
            tensor if down else tensor.detach() for tensor, down in zip(tensors, layer.spec.propagate_down, strict=True)
        ]


def _copied(tensor: Tensor, *, blocked: bool) -> Tensor:
    """A copy of an input in the layout of the layers behind it, made in one pass."""
    if tensor.dim() != 4:
        return tensor.clone()
    return tensor.to_mkldnn() if blocked else tensor.to(memory_format=torch.channels_last, copy=True)


def _channels_last(tensor: Tensor) -> Tensor:
    """Channels-last memory for pictures from the input on: convolutions are fastest so."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor

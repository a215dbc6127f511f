"""A Caffe net on torch, under pycaffe's names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workflow.engines.base import Array, Shape
from workflow.engines.torch_cpu import blocked, memory
from workflow.engines.torch_cpu.building import Building
from workflow.engines.torch_cpu.parameters import Parameter
from workflow.engines.torch_cpu.plan import layers_of, plan
from workflow.errors import NetError, did_you_mean
from workflow.formats import blobproto, caffe_pb2
from workflow.layers import Layer
from workflow.layers.data import tell_classes
from workflow.net import weights as weight_files
from workflow.net.build import AUTOMATIC
from workflow.net.losses import warn_of_read_losses
from workflow.net.spec import NetSpec


class Net:
    """The layers of a built net with their parameters; one forward pass fills `blobs`.

    Attributes:
        blobs: name -> tensor after the last forward pass, in net order.
        params: layer -> its parameter blobs, for layers that have any.
        position: forward passes so far; with `seed` it decides what every layer that is random draws.
        loss: sum over all tops of loss weight times value, after the last forward pass.
    """

    def __init__(
        self,
        spec: NetSpec,
        *,
        seed: int = 0,
        folder: Path | None = None,
        like: Net | None = None,
        device: torch.device | None = None,
        row_major: bool = False,
    ) -> None:
        """Build the layers, then give them memory.

        Args:
            spec: the net on paper.
            seed: of fillers and of all that is random.
            folder: that paths in the prototxt are relative to; the current folder if None.
            like: a net whose parameters this one uses, by layer name (a test net's train net).
            device: where parameters and blobs are; the CPU if None.
            row_major: see `Building`.

        Raises:
            NetError: an unknown layer type, shapes that do not fit, or more memory than the machine has.
            DatabaseError, ModelError: a Data layer's LMDB or mean.
        """
        memory.keep_freed()
        self.spec = spec
        self.seed = seed
        self.device = device or torch.device("cpu")
        self._away = self.device.type != "cpu"  # from where files and random numbers come
        self.position = 0
        self.blobs: Mapping[str, Tensor] = {}
        self.loss = torch.zeros(())
        self.layers: list[Layer] = []
        if spec.phase == "TRAIN":
            warn_of_read_losses(spec)
        try:
            self.layers.extend(layers_of(spec, folder or Path()))
            self._shapes, declared = plan(spec, self.layers)
            building = Building(seed=seed, device=self.device, row_major=row_major)
            theirs = like.params if like else {}
            self._parameters = building.parameters(spec, self.layers, self._shapes, declared, theirs)
            self._trunk = frozenset() if self._away else blocked.trunk(self.layers, self._shapes)
            tell_classes(self.layers, self._shapes)
        except BaseException:
            self.close()
            raise

    # ---- running ----

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
            layer.seed, layer.position = self.seed, self.position
            if layer.spec.type == "Input" and given:
                tops: Sequence[Tensor] = [_copied(given[top], blocked=bool(trunk)) for top in layer.spec.tops]
            else:
                bottoms = blocked.laid_out(self._bottoms(layer, tensors), blocked=number in trunk)
                tops = layer.run(*bottoms)
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
        """Whether blobs are of the shapes that the net was planned for, but for the size of the batch."""
        return all(tensor.shape[1:] == self._shapes[name][1:] for name, tensor in inputs.items())

    def _bottoms(self, layer: Layer, blobs: Mapping[str, Tensor]) -> list[Tensor]:
        tensors = [blobs[bottom] for bottom in layer.spec.bottoms]
        if self.spec.force_backward:  # it overrules propagate_down
            return tensors
        return [
            tensor if down else tensor.detach() for tensor, down in zip(tensors, layer.spec.propagate_down, strict=True)
        ]

    @property
    def shapes(self) -> dict[str, Shape]:
        """Every blob's shape as the prototxt has it, in net order, known before any pass."""
        return dict(self._shapes)

    # ---- parameters ----

    @property
    def learnable(self) -> list[Parameter]:
        """The parameters in Caffe's order, each shared one once."""
        return self._parameters.learnable

    @property
    def params(self) -> dict[str, list[Tensor]]:
        """Layer name -> its parameter blobs; a name that two layers bear keeps the last, as in pycaffe."""
        return {layer.spec.name: layer.blobs for layer in self.layers if layer.blobs}

    def copy_from(
        self, source: caffe_pb2.NetParameter, *, ignore: Collection[str] = (), known: Collection[str] | None = None
    ) -> None:
        """Copy weights layer by layer, matched by name; layers that the file does not have keep theirs.

        Unmatched weights are ignored and reported in one warning.

        Args:
            source: a caffemodel.
            ignore: layers that keep theirs whatever the file has.
            known: layers whose weights may be unmatched without a warning; this net's own if None.

        Raises:
            ModelError: numbers or shapes of blobs differ.
        """
        first = {layer.spec.name: layer for layer in reversed(self.layers)}  # of layers that bear one name
        shapes = {name: [tuple(blob.shape) for blob in layer.blobs] for name, layer in first.items()}
        weight_files.warn_of_unused(source, first if known is None else known)
        found = weight_files.match(shapes, source, ignore=ignore, shared=self._parameters.shared)
        with torch.no_grad():
            for name, values in found.items():
                for blob, array in zip(first[name].blobs, values, strict=True):
                    if array is not None:
                        blob.copy_(torch.from_numpy(array))

    def message(self, *, gradients: bool = False) -> caffe_pb2.NetParameter:
        """The net as a caffemodel holds it: every layer as it ran, with its blobs (Net::ToProto).

        With `gradients`, each blob's last gradient is beside its values.
        """
        net = caffe_pb2.NetParameter(name=self.spec.name)
        for layer in self.layers:
            message = net.layer.add()
            message.CopyFrom(layer.message)
            del message.blobs[:]
            for index, blob in enumerate(layer.blobs):
                diff = as_array(self._gradient(layer, index)) if gradients else None
                message.blobs.append(blobproto.from_array(as_array(blob), diff=diff))
        return net

    def _gradient(self, layer: Layer, index: int) -> Tensor:
        """What backward left for a parameter blob, or its owner; zeros where it left nothing."""
        blob = layer.blobs[index]
        owner = self._parameters.shared.get((layer.spec.name, index), (layer.spec.name, index))
        grads = (one.tensor.grad for one in self.learnable if (one.layer, one.index) == owner)
        gradient = next(grads, None)
        return torch.zeros_like(blob) if gradient is None else gradient.reshape(blob.shape)

    def close(self) -> None:
        """Let go of databases."""
        for layer in self.layers:
            layer.close()


def as_array(tensor: Tensor) -> Array:
    """A float32 C-contiguous copy in Caffe's axis order."""
    return np.array(tensor.detach().float().cpu().numpy(), dtype=np.float32, order="C", copy=True)


def arrays(blobs: Iterable[tuple[str, Tensor]]) -> dict[str, Array]:
    """Named tensors as arrays, without Caffe's anonymous tops."""
    return {name: as_array(tensor) for name, tensor in blobs if name != AUTOMATIC}


def _copied(tensor: Tensor, *, blocked: bool) -> Tensor:
    """A copy of an input in the layout of the layers behind it, made in one pass."""
    if tensor.dim() != 4:
        return tensor.clone()
    return tensor.to_mkldnn() if blocked else tensor.to(memory_format=torch.channels_last, copy=True)


def _channels_last(tensor: Tensor) -> Tensor:
    """Pictures as convolutions like them best in memory, from where they enter the net on."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor

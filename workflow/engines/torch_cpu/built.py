"""A net's layers with the memory of their parameters, for all that run them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workflow.allocator import keep_freed
from workflow.engines.base import Array, Shape
from workflow.engines.torch_cpu.building import Building
from workflow.engines.torch_cpu.parameters import Parameter, Place
from workflow.engines.torch_cpu.plan import layers_of, plan
from workflow.formats import blobproto, caffe_pb2
from workflow.layers import Layer
from workflow.layers.data import tell_classes
from workflow.net import weights as weight_files
from workflow.net.build import AUTOMATIC
from workflow.net.losses import warn_of_read_losses
from workflow.net.spec import NetSpec

# bytes; the blobs of a training pass of cifar10_quick at batch 100 are 90 MB. Each pass allocates all blobs again: if
# their memory is not kept, an iteration has up to 9,000 page faults, 15 ms of its 55.
_KEPT, _LARGEST = 256 << 20, 32 << 20


class Built:
    """The layers of a net, planned and given their parameters.

    Attributes:
        spec: the net on paper.
        seed: of fillers and of all that is random.
        device: where parameters and blobs are.
        layers: in net order.
        shapes: every blob's shape as the prototxt has it, in net order, known before any pass.
    """

    def __init__(
        self,
        spec: NetSpec,
        *,
        seed: int = 0,
        folder: Path | None = None,
        like: Built | None = None,
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
        keep_freed(_KEPT, _LARGEST)
        self.spec = spec
        self.seed = seed
        self.device = device or torch.device("cpu")
        self.layers: list[Layer] = []
        if spec.phase == "TRAIN":
            warn_of_read_losses(spec)
        try:
            self.layers.extend(layers_of(spec, folder or Path()))
            self.shapes: dict[str, Shape]
            self.shapes, declared = plan(spec, self.layers)
            building = Building(seed=seed, device=self.device, row_major=row_major)
            theirs = like.params if like else {}
            self._parameters = building.parameters(spec, self.layers, self.shapes, declared, theirs)
            tell_classes(self.layers, self.shapes)
        except BaseException:
            self.close()
            raise

    @property
    def learnable(self) -> list[Parameter]:
        """The parameters in Caffe's order, shared ones only once."""
        return self._parameters.learnable

    @property
    def shared(self) -> dict[Place, Place]:
        """A shared parameter -> the parameter that it shares."""
        return self._parameters.shared

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
        """The gradient of a parameter blob, or of its owner; zeros where backward gave none."""
        blob = layer.blobs[index]
        owner = self._parameters.shared.get((layer.spec.name, index), (layer.spec.name, index))
        grads = (one.tensor.grad for one in self.learnable if (one.layer, one.index) == owner)
        gradient = next(grads, None)
        return torch.zeros_like(blob) if gradient is None else gradient.reshape(blob.shape)

    def close(self) -> None:
        """Close databases."""
        for layer in self.layers:
            layer.close()


def as_array(tensor: Tensor) -> Array:
    """A float32 C-contiguous copy in Caffe's axis order."""
    return np.array(tensor.detach().float().cpu().numpy(), dtype=np.float32, order="C", copy=True)


def arrays(blobs: Iterable[tuple[str, Tensor]]) -> dict[str, Array]:
    """Named tensors as arrays, without Caffe's anonymous tops."""
    return {name: as_array(tensor) for name, tensor in blobs if name != AUTOMATIC}

"""The base class of the torch engine's layers, and their registry.

A layer is one file with one class under one decorator; the registry is the list that messages and documents show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from workflow.data.rows import Rows
from workflow.errors import NetError, WorkflowError
from workflow.formats import caffe_pb2
from workflow.lean_torch import import_shape_kernels
from workflow.net.registry import Registry
from workflow.net.spec import LayerSpec

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class ParamBlob:
    """A parameter blob that a layer asks for: its shape and how it is filled at first."""

    shape: Shape
    filler: caffe_pb2.FillerParameter


class Layer:
    """One layer of a built net.

    Subclasses say what parameters they need (`param_blobs`) and what they do (`forward`); gradients come from
    autograd. `blobs` are this layer's parameters in Caffe's order, set by the net before the first forward.
    All randomness is a function of `seed` and `position`, the number of forward passes before this one.
    """

    takes_part = False
    """Whether `forward` looks at `part`: what it reads or draws for a whole batch, it then gives its rows of."""
    forward: Callable[..., Tensor | Sequence[Tensor]]
    """The tops for the bottoms: one tensor, or as many as the layer has tops."""

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        self.spec = spec
        self.message = spec.message
        self.folder = folder  # paths in the prototxt are relative to it
        self.training = spec.phase == "TRAIN"
        self.blobs: list[Tensor] = []
        self.seed = 0
        self.position = 0
        self.part: Rows | None = None
        """Which rows of a batch this pass computes; None where it is all of them."""
        self.exact = False
        """Whether NaN and infinities come out as Caffe's formulas give them, at the cost of some speed."""

    def param_blobs(self, *bottoms: Shape) -> list[ParamBlob]:
        """The parameters that this layer needs for bottoms of those shapes."""
        del bottoms
        return []

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        """The shapes of the tops for bottoms of those shapes, found by a forward pass without numbers.

        Types of usual nets say it themselves: for such a pass PyTorch imports a second's worth of modules.
        """
        import_shape_kernels()
        real = self.blobs
        self.blobs = [torch.empty(blob.shape, device="meta") for blob in self.param_blobs(*bottoms)]
        try:
            tops = self.run(*[torch.empty(shape, device="meta") for shape in bottoms])
        finally:
            self.blobs = real
        return [tuple(top.shape) for top in tops]

    def run(self, *bottoms: Tensor) -> Sequence[Tensor]:
        """The tops, one or several, for the bottoms.

        Raises:
            NetError: the shapes do not fit.
        """
        try:
            tops = self.forward(*bottoms)
        except RuntimeError as error:
            if isinstance(error, WorkflowError):
                raise
            shapes = ", ".join(str(tuple(bottom.shape)) for bottom in bottoms) or "none"
            raise self.fail(f"cannot run on bottoms of shapes {shapes}: {str(error).splitlines()[0]}") from error
        return [tops] if isinstance(tops, Tensor) else tops

    def blocked(self, bottom: Shape) -> bool:
        """Whether `forward` takes a bottom of that shape in oneDNN's own layout, and gives its tops in it."""
        del bottom
        return False

    def close(self) -> None:
        """Close files."""

    def fail(self, what: str, *, hint: str | None = None, fault: str = "") -> NetError:
        """An error that begins with this layer's name and type."""
        return NetError(f"layer '{self.spec.name}' ({self.spec.type}): {what}", hint=hint, fault=fault)


class Elementwise(Layer):
    """A layer whose tops have the shape of its first bottom."""

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        return [bottoms[0]] * len(self.spec.tops)


LAYERS = Registry[Layer]("torch", "real Caffe may know it: --engine caffe")
layer = LAYERS.layer
layer_types = LAYERS.types


def create(spec: LayerSpec, folder: Path) -> Layer:
    """The layer that runs `spec`; paths in it are relative to `folder`.

    Raises:
        NetError: see `Registry.find`.
    """
    return LAYERS.find(spec)(spec, folder)


def axis_of(layer: Layer, axis: int, rank: int) -> int:
    """A non-negative axis; Caffe counts negative ones from the end (Blob::CanonicalAxisIndex)."""
    if not -rank <= axis < rank:
        raise layer.fail(f"axis {axis} of a blob with {rank} axes")
    return axis % rank

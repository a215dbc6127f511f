"""The base class of the numpy engine's layers, and their registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from workflow.engines.base import Array, Shape
from workflow.errors import NetError
from workflow.net.registry import Registry
from workflow.net.spec import LayerSpec


class Layer:
    """One layer of a built net, TEST phase, forward only.

    Shapes are settled before numbers run: `plan` is asked at first, and again when the net is reshaped. Arrays are
    float32 and C-contiguous; a top may be a view of a bottom where Caffe shares their memory, else it is new.
    """

    forward: Callable[..., Array | Sequence[Array]]
    """The tops for the bottoms: one array, or as many as the layer has tops."""

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        self.spec = spec
        self.folder = folder  # paths in the prototxt are relative to it
        self.message = spec.message
        self.param_shapes: tuple[Shape, ...] = ()
        self._planned = False
        self.blobs: list[Array] = []

    def plan(self, *bottoms: Shape) -> list[Shape]:
        """The tops' shapes for bottoms of those shapes; the first call settles `param_shapes`.

        Raises:
            NetError: the bottoms do not suit the layer, or no longer suit its parameters.
        """
        wanted = tuple(self.parameters(*bottoms))
        if not self._planned:
            self.param_shapes, self._planned = wanted, True
        elif wanted != self.param_shapes:
            raise self.fail(
                f"bottom of shape {bottoms[0]} would need parameters of shapes {list(wanted)}, "
                f"but they are {list(self.param_shapes)}"
            )
        return self.top_shapes(*bottoms)

    def parameters(self, *bottoms: Shape) -> Sequence[Shape]:
        """The shapes of the parameters that the layer needs for bottoms of those shapes."""
        del bottoms
        return ()

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        """The tops' shapes; that of the first bottom unless the layer says otherwise."""
        return [bottoms[0]] * len(self.spec.tops)

    def run(self, *bottoms: Array) -> Sequence[Array]:
        """The tops for the bottoms, as many as the layer has."""
        tops = self.forward(*bottoms)
        # numpy makes a bare number of an array without axes
        return [np.asarray(tops)] if isinstance(tops, np.ndarray | np.generic) else tops

    def close(self) -> None:
        """Close files."""

    def axis(self, axis: int, rank: int) -> int:
        """A non-negative axis; Caffe counts negative ones from the end (Blob::CanonicalAxisIndex)."""
        if not -rank <= axis < rank:
            raise self.fail(f"axis {axis} of a blob with {rank} axes")
        return axis % rank

    def fail(self, what: str, *, hint: str | None = None, fault: str = "") -> NetError:
        """An error that begins with this layer's name and type."""
        return NetError(f"layer '{self.spec.name}' ({self.spec.type}): {what}", hint=hint, fault=fault)


LAYERS = Registry[Layer]("numpy", "other engines may know it: --engine torch, --engine caffe")
layer = LAYERS.layer
layer_types = LAYERS.types


def create(spec: LayerSpec, folder: Path) -> Layer:
    """The layer that runs `spec`; paths in it are relative to `folder`.

    Raises:
        NetError: see `Registry.find`.
    """
    return LAYERS.find(spec)(spec, folder)

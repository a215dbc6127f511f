"""A net with its weights in TEST phase, run layer by layer.

Memory is shared as in Caffe: Split, Flatten and Reshape give a view of their bottom, and a layer that works in
place writes into its bottom's memory, so that every name of that memory shows what it holds after the whole pass.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from workflow.engines.base import Array, Shape
from workflow.engines.numpy_cpu.layers import Layer, create
from workflow.engines.numpy_cpu.params import assign
from workflow.errors import Location, NetError, did_you_mean
from workflow.formats import caffe_pb2
from workflow.net.build import AUTOMATIC
from workflow.net.memory import check_memory
from workflow.net.places import at_layer
from workflow.net.spec import NetSpec


class Session:
    """What `workflow.engines.base.Session` promises, on numpy."""

    def __init__(
        self,
        spec: NetSpec,
        weights: caffe_pb2.NetParameter | None,
        *,
        ignore: Collection[str] = (),
        folder: Path = Path(),
    ) -> None:
        self._spec = spec
        self.inputs = spec.inputs
        self.outputs = spec.outputs
        self._layers: list[Layer] = []
        try:
            for layer in spec.layers:
                with at_layer(spec, layer):
                    self._layers.append(create(layer, folder))
            self._planned = self._plan({})
            assign(self._layers, weights, ignore=ignore)
        except NetError as error:
            self._close()
            error.at = error.at or (Location(path=spec.source) if spec.source is not None else None)
            raise
        except BaseException:
            self._close()
            raise

    def forward(self, wanted: Collection[str] | None = None, /, **inputs: Array) -> dict[str, Array]:
        """Run the whole net.

        Args:
            wanted: the blobs to hand out; None is all of them.
            inputs: one float32 array for each of the net's inputs; sizes other than the prototxt's reshape the net.

        Returns:
            The blobs in net order, inputs first: copies, float32, C-contiguous.

        Raises:
            NetError: an input is missing or unknown, or its shape does not fit a layer.
        """
        given = self._given(inputs)
        shapes = {name: array.shape for name, array in given.items()}
        if any(self._planned[name] != shape for name, shape in shapes.items()):
            self._planned = self._plan(shapes)
        blobs: dict[str, Array] = dict(given)
        for layer in self._layers:
            _run(layer, blobs)
        return {
            name: np.array(array, dtype=np.float32, order="C", copy=True)
            for name, array in blobs.items()
            if name != AUTOMATIC and (wanted is None or name in wanted)
        }

    def timings(self, **inputs: Array) -> Array:
        """Seconds of each layer in one forward pass, float32 (layers,), Caffe's Split layers among them."""
        self.forward((), **inputs)  # plans, and checks what was given
        blobs: dict[str, Array] = dict(self._given(inputs))
        seconds = np.zeros(len(self._layers), np.float32)
        for index, layer in enumerate(self._layers):
            start = time.perf_counter()
            _run(layer, blobs)
            seconds[index] = time.perf_counter() - start
        return seconds

    @property
    def params(self) -> Mapping[str, Sequence[Array]]:
        """Layer name -> its parameter blobs, weights first, for layers that have any."""
        return {layer.spec.name: layer.blobs for layer in self._layers if layer.blobs}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        for layer in self._layers:
            layer.close()

    def _plan(self, inputs: Mapping[str, Shape]) -> dict[str, Shape]:
        """Every blob's shape when the net's inputs have those shapes; a misfit is found before anything is computed."""
        shapes: dict[str, Shape] = {}
        for layer in self._layers:
            with at_layer(self._spec, layer.spec):
                tops = layer.plan(*[shapes[bottom] for bottom in layer.spec.bottoms])
            shapes.update(zip(layer.spec.tops, tops, strict=True))
            if layer.spec.type == "Input":
                shapes.update({top: inputs[top] for top in layer.spec.tops if top in inputs})
        params = [shape for layer in self._layers for shape in layer.param_shapes]
        check_memory(sum(4 * math.prod(shape) for shape in [*params, *shapes.values()]))
        return shapes

    def _given(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The caller's arrays in net order, as copies that layers in place may write into."""
        for name in inputs:
            if name not in self.inputs:
                hint = did_you_mean(name, self.inputs) or "the net reads from a database"
                raise NetError(f"net '{self._spec.name}' has no input '{name}'", hint=hint)
        missing = [name for name in self.inputs if name not in inputs]
        if missing:
            raise NetError(f"net '{self._spec.name}' was not given its input '{missing[0]}'")
        given = {name: np.array(inputs[name], dtype=np.float32, order="C", copy=True) for name in self.inputs}
        for name, array in given.items():
            if array.ndim != len(self._planned[name]) or not array.size:
                raise NetError(
                    f"input '{name}' of shape {array.shape}, expected {len(self._planned[name])} axes "
                    f"as in {self._planned[name]}"
                )
        return given


def _run(layer: Layer, blobs: dict[str, Array]) -> None:
    """Add a layer's tops to the blobs."""
    if layer.spec.type == "Input":
        return
    tops = layer.run(*[blobs[bottom] for bottom in layer.spec.bottoms])
    for index, (top, array) in enumerate(zip(layer.spec.tops, tops, strict=True)):
        if index < len(layer.spec.bottoms) and layer.spec.bottoms[index] == top:
            blobs[top][...] = array  # in place: every view of this memory sees it
        else:
            blobs[top] = array

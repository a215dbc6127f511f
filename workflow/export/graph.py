"""Build an ONNX graph: blobs as values, parameters as initializers, layers as nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array, Shape
from workflow.errors import NetError
from workflow.net.spec import LayerSpec

if TYPE_CHECKING:
    import onnx


@dataclass(kw_only=True)
class Graph:
    """An ONNX graph as translated so far.

    An in-place layer overwrites its blob, which ONNX does not support: earlier values of a blob are called
    `blob/before_LAYER`, and the last one has the blob's own name.
    """

    shapes: Mapping[str, Shape]
    """Blob -> its shape for one picture."""
    params: Mapping[str, Sequence[Array]]
    """Layer -> its parameter blobs."""
    writers: dict[str, list[str]]
    """Blob -> the layers that write it, in net order."""
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: list[onnx.TensorProto] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    """Blob -> the ONNX value that it holds now."""

    def bottoms(self, layer: LayerSpec) -> list[str]:
        """The values that a layer reads."""
        return [self.values[name] for name in layer.bottoms]

    def top(self, layer: LayerSpec, index: int = 0) -> str:
        """The value that a layer writes; what reads the blob from now on reads this."""
        blob = layer.tops[index]
        later = self.writers[blob][self.writers[blob].index(layer.name) + 1 :]
        self.values[blob] = f"{blob}/before_{later[0]}" if later else blob
        return self.values[blob]

    def constant(self, layer: LayerSpec, name: str, array: NDArray[Any]) -> str:
        """An initializer of a layer, by its value's name."""
        from onnx import numpy_helper

        value = f"{layer.name}/{name}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), value))
        return value

    def add(self, kind: str, layer: LayerSpec, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """A node; its output's name."""
        from onnx import helper

        name = layer.name if output == self.values.get(layer.tops[0]) else f"{layer.name}/{output}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=name, **attributes))
        return output

    def between(self, kind: str, layer: LayerSpec, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """A node whose output only the layer itself reads."""
        return self.add(kind, layer, inputs, f"{layer.name}/{name}", **attributes)

    def shape(self, layer: LayerSpec, *, top: int | None = None, bottom: int = 0) -> Shape:
        """The shape of a layer's bottom, or of one of its tops, for one picture."""
        return self.shapes[layer.bottoms[bottom] if top is None else layer.tops[top]]


def cannot(layer: LayerSpec, why: str = "") -> NetError:
    """The error for a layer that is not translated."""
    reason = f": {why}" if why else ""
    return NetError(
        f"layer '{layer.name}' ({layer.type}) cannot be written as ONNX{reason}",
        hint="wf export --bundle takes every net",
    )

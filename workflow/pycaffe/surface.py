"""The names in a net: which layers and blobs there are, and which belongs to which."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from workflow.layers import Layer
from workflow.layers.blob import Blob
from workflow.pycaffe.execution import Running


class BlobVec(list[Blob]):
    """The parameter blobs of a layer, in Caffe's order."""


class LayerView:
    """A layer as `net.layers` shows it: its type and its parameter blobs."""

    def __init__(self, kind: str, blobs: Sequence[Blob], layer: Layer) -> None:
        self.type = kind
        self.blobs = BlobVec(blobs)
        self.layer = layer


class Named:
    """What pycaffe shows of a net besides its numbers.

    Attributes:
        inputs: tops of Input layers, in order.
        outputs: blobs that no layer reads, sorted.
        top_names: layer -> its tops, with the blobs of the Split layers that Caffe inserts.
        bottom_names: layer -> its bottoms.
        blob_loss_weights: blob -> its weight in the loss, 0 for most.
    """

    def __init__(self, running: Running) -> None:
        spec = running.spec
        self._running = running
        self._layer_names = [layer.name for layer in spec.layers]
        self._blob_names = list(running.memory)
        self._blobs = list(running.memory.values())
        self.inputs = list(spec.inputs)
        self.outputs = list(spec.outputs)
        self.top_names = OrderedDict((layer.name, list(layer.tops)) for layer in spec.layers)
        self.bottom_names = OrderedDict((layer.name, list(layer.bottoms)) for layer in spec.layers)
        weights = {top: weight for layer in spec.layers for top, weight in zip(layer.tops, layer.loss_weights)}  # noqa: B905 - equal by construction
        self.blob_loss_weights = OrderedDict((name, weights[name]) for name in self._blob_names)

    @property
    def name(self) -> str:
        """The net's name in its prototxt."""
        return self._running.spec.name

    @property
    def _inputs(self) -> list[int]:
        return [self._blob_names.index(name) for name in self.inputs]

    @property
    def _outputs(self) -> list[int]:
        return [self._blob_names.index(name) for name in self.outputs]

    @property
    def _blob_loss_weights(self) -> list[float]:
        return list(self.blob_loss_weights.values())

    def _top_ids(self, layer: int) -> list[int]:
        return [self._blob_names.index(name) for name in self._running.spec.layers[layer].tops]

    def _bottom_ids(self, layer: int) -> list[int]:
        return [self._blob_names.index(name) for name in self._running.spec.layers[layer].bottoms]

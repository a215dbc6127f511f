"""A net's layers with the shapes of their blobs, their parameters and what they cost; nothing is run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow.errors import DataError, NetError
from workflow.formats import caffe_pb2, datum
from workflow.formats.lmdb import Reader
from workflow.formats.prototxt import read_net
from workflow.net.build import build
from workflow.net.cost import multiply_adds
from workflow.net.spec import Phase

Shape = tuple[int, ...]

_SOURCES = {
    "Data": "data_param",
    "ImageData": "image_data_param",
    "WindowData": "window_data_param",
    "MemoryData": "memory_data_param",
    "HDF5Data": "hdf5_data_param",
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One layer as it runs; Split layers, which Caffe inserts by itself, are left out."""

    name: str
    type: str
    bottoms: tuple[str, ...]
    tops: dict[str, Shape]
    params: tuple[Shape, ...]
    parameters: int
    """How many numbers `params` hold; 0 where another layer owns them."""
    multiply_adds: int
    """Of one picture."""


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """A net in one phase."""

    name: str
    source: Path
    phase: Phase
    batch: int
    """Pictures in one pass."""
    parts: tuple[Part, ...]

    @property
    def parameters(self) -> int:
        """Numbers that training can change, each shared one once."""
        return sum(part.parameters for part in self.parts)

    @property
    def multiply_adds(self) -> int:
        """Of one picture through the whole net."""
        return sum(part.multiply_adds for part in self.parts)

    def json(self) -> dict[str, Any]:
        """As `wf net show --json` gives it."""
        return {
            "name": self.name,
            "source": str(self.source),
            "phase": self.phase,
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "layers": [vars(part) | {"bottoms": list(part.bottoms)} for part in self.parts],
        }


def anatomy(source: Path, *, phase: Phase = "TEST", stored: Shape | None = None) -> Anatomy:
    """Look at a net's file.

    Args:
        source: a prototxt of any age.
        phase: of the two that it may describe.
        stored: (C, H, W) of the pictures, for a net that reads them from a source which is not there.

    Raises:
        PrototxtError, NetError: it is no net, a layer is unknown, or shapes do not fit.
        UsageError: it reads pictures whose shape nothing tells.
    """
    from workflow.engines.torch_cpu.net import Net  # PyTorch's layers know their shapes; two seconds

    message = caffe_pb2.NetParameter()
    message.CopyFrom(read_net(source))
    sources = {one.name: one.type for one in message.layer if one.type in _SOURCES}
    for one in message.layer:
        if one.type in _SOURCES:
            _as_input(one, source, stored)
    spec = build(message, phase=phase, source=source)
    net = Net(spec)
    shapes = net.shapes
    first = next((shapes[name] for name in spec.inputs if shapes[name]), ())
    batch = first[0] if len(first) > 1 else 1
    names = _unsplit(spec.layers)
    parts = []
    counted: set[int] = set()
    for layer, built in zip(spec.layers, net.layers, strict=True):
        if layer.type == "Split":
            continue
        params = [tuple(blob.shape) for blob in built.blobs]
        own = [blob for blob in built.blobs if blob.data_ptr() not in counted]
        counted |= {blob.data_ptr() for blob in own}
        bottoms, tops = [shapes[name] for name in layer.bottoms], [shapes[name] for name in layer.tops]
        cost = multiply_adds(layer.message, bottoms, tops, params)
        parts.append(
            Part(
                name=layer.name,
                type=sources.get(layer.name, layer.type),
                bottoms=tuple(names.get(name, name) for name in layer.bottoms),
                tops=dict(zip(layer.tops, tops, strict=True)),
                params=tuple(params),
                parameters=sum(math.prod(blob.shape) for blob in own),
                multiply_adds=cost // batch,
            )
        )
    return Anatomy(name=spec.name, source=source, phase=phase, batch=batch, parts=tuple(parts))


def _unsplit(layers: Sequence[Any]) -> dict[str, str]:
    """Tops of inserted Split layers -> the blob that they copy."""
    return {top: layer.bottoms[0] for layer in layers if layer.type == "Split" for top in layer.tops}


def _as_input(layer: caffe_pb2.LayerParameter, source: Path, stored: Shape | None) -> None:
    """Make a layer that reads pictures one that is given them, of the same shapes."""
    param = getattr(layer, _SOURCES[layer.type])
    batch = param.batch_size
    if layer.type == "MemoryData":
        shape: Shape = (param.channels, param.height, param.width)
    else:
        shape = _shape(layer, param, source, stored)
    inputs = caffe_pb2.InputParameter()
    for index, _ in enumerate(layer.top):
        inputs.shape.add(dim=(batch, *shape) if index == 0 else (batch,))
    layer.ClearField(_SOURCES[layer.type])
    layer.ClearField("transform_param")
    layer.type = "Input"
    layer.input_param.CopyFrom(inputs)


def _shape(layer: caffe_pb2.LayerParameter, param: Any, source: Path, stored: Shape | None) -> Shape:
    if stored is None and layer.type == "Data":
        try:
            with Reader(Path(param.source)) as reader:
                stored = datum.decode(reader.values(0, 1)[0])[0].shape
        except DataError:
            stored = None  # the file is looked at where its data are not
    crop = layer.transform_param.crop_size
    if stored is None and not crop:
        raise NetError(
            f"layer '{layer.name}' ({layer.type}) of {source} reads pictures of a shape that nothing here tells",
            at=source,
            hint="--shape 3,32,32 says it: channels, height, width",
        )
    channels, height, width = stored or (3, crop, crop)
    return (channels, crop or height, crop or width)

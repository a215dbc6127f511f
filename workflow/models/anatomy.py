"""A net's layers with the shapes of their blobs, parameters and costs, found without running it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import locate_layer, read_net
from workflow.models.sources import picture_shape
from workflow.net.build import build
from workflow.net.cost import multiply_adds
from workflow.net.fill import fill_outputs
from workflow.net.sources import SOURCES
from workflow.net.spec import NetSpec, Phase

Shape = tuple[int, ...]


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
    """Multiply-adds of one picture."""


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


def anatomy(
    source: Path,
    *,
    phase: Phase = "TEST",
    stages: Sequence[str] = (),
    stored: tuple[int, int, int] | None = None,
    run_python: bool = False,
    classes: int | None = None,
    project: Path = Path(),
) -> Anatomy:
    """Analyse a net's file without allocating blobs or parameters.

    Args:
        source: a prototxt of any age.
        phase: of the two that it may describe.
        stages: beside those of the net's state.
        stored: (C, H, W) of the pictures, for a net that reads them from a source which is not there.
        run_python: whether modules of Python layers may be run; their shapes are unknown otherwise.
        classes: the number of outputs that training will fill in; None leaves it as the file has it.
        project: the folder that the net's paths are relative to; `Path()` is the current folder.

    Raises:
        PrototxtError, NetError: it is no net, a layer is unknown, or shapes do not fit.
        UsageError: it reads pictures of an unknown shape.
    """
    message = caffe_pb2.NetParameter()
    message.CopyFrom(read_net(source))
    if classes is not None:
        fill_outputs(message, classes)
    shown = build(message, phase=phase, stages=stages, source=source)
    there = {layer.name for layer in shown.layers}
    sources = {}
    for one in message.layer:
        if one.name in there and (one.type in SOURCES or (one.type == "Python" and not run_python)):
            sources[one.name] = one.type
            _as_input(one, source, stored, project)
    spec = build(message, phase=phase, stages=stages, source=source)
    shapes, declared = _plan(spec, project)
    first = next((shapes[name] for name in spec.inputs if shapes[name]), ())
    batch = first[0] if len(first) > 1 else 1
    names = _unsplit(spec.layers)
    parts = []
    shared: set[str] = set()
    for layer, params in zip(spec.layers, declared, strict=True):
        if layer.type == "Split":
            continue
        owners = [one.name for one in layer.params[: len(params)]] + [""] * (len(params) - len(layer.params))
        own = [shape for shape, name in zip(params, owners, strict=True) if name not in shared]
        shared |= {*owners} - {""}
        bottoms, tops = [shapes[name] for name in layer.bottoms], [shapes[name] for name in layer.tops]
        cost = multiply_adds(layer.message, bottoms, tops, params)
        parts.append(
            Part(
                name=layer.name,
                type=sources.get(layer.name, layer.type),
                bottoms=tuple(names.get(name, name) for name in layer.bottoms),
                tops=dict(zip(layer.tops, tops, strict=True)),
                params=tuple(params),
                parameters=sum(math.prod(shape) for shape in own),
                multiply_adds=cost // batch,
            )
        )
    return Anatomy(name=spec.name, source=source, phase=phase, batch=batch, parts=tuple(parts))


def _plan(spec: NetSpec, project: Path) -> tuple[dict[str, Shape], list[list[Shape]]]:
    """Shapes of all blobs, and of each layer's parameters; PyTorch, two seconds to import, only where it must be."""
    from workflow.engines.numpy_cpu.plan import plan as plan_with_numpy

    if (planned := plan_with_numpy(spec)) is not None:
        return planned
    from workflow.engines.torch_cpu.plan import layers_of, plan

    shapes, declared = plan(spec, list(layers_of(spec, project)))
    return shapes, [[blob.shape for blob in blobs] for blobs in declared]


def _unsplit(layers: Sequence[Any]) -> dict[str, str]:
    """Tops of inserted Split layers -> the blob that they copy."""
    return {top: layer.bottoms[0] for layer in layers if layer.type == "Split" for top in layer.tops}


def _as_input(
    layer: caffe_pb2.LayerParameter, source: Path, stored: tuple[int, int, int] | None, project: Path
) -> None:
    """Turn a layer that reads pictures into an Input layer of the same shapes."""
    if layer.bottom:
        raise NetError(
            f"layer '{layer.name}' (Python) is class '{layer.python_param.layer}' of module "
            f"'{layer.python_param.module}', which was not run",
            at=locate_layer(source, layer.name),
            hint="--python runs it to find its shapes; use it only if you trust that code",
        )
    batch = getattr(layer, SOURCES[layer.type]).batch_size if layer.type in SOURCES else 1
    shape = picture_shape(layer, source=source, stored=stored, project=project)
    inputs = caffe_pb2.InputParameter()
    for index, _ in enumerate(layer.top):
        inputs.shape.add(dim=(batch, *shape) if index == 0 else (batch,))
    for field in (*SOURCES.values(), "transform_param", "python_param"):
        layer.ClearField(field)
    layer.type = "Input"
    layer.input_param.CopyFrom(inputs)

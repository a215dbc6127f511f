"""Layers that read pictures, and the phases and stages in which they are active."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workflow.formats import caffe_pb2
from workflow.net.rules import State, kept
from workflow.net.spec import Phase

SOURCES = {
    "Data": "data_param",
    "ImageData": "image_data_param",
    "WindowData": "window_data_param",
    "MemoryData": "memory_data_param",
    "HDF5Data": "hdf5_data_param",
}
"""Types of layers that read pictures and labels -> the field of their settings."""


def reads_pictures(layer: caffe_pb2.LayerParameter) -> bool:
    """Whether a layer reads pictures: one of `SOURCES`, or a Python layer without bottoms."""
    return layer.type in SOURCES or (layer.type == "Python" and not layer.bottom)


def state_with_pictures(
    net: caffe_pb2.NetParameter, stages: Sequence[str] = ()
) -> tuple[Phase, tuple[str, ...]] | None:
    """The phase and the stages in which the net reads pictures: TEST before TRAIN, without a stage if that is enough.

    Args:
        net: an upgraded net.
        stages: added to those of the net's state; if there are any, no others are tried.

    Returns:
        None if it reads pictures in no phase.
    """
    named = sorted({stage for layer in net.layer for rule in layer.include for stage in rule.stage})
    phases: tuple[Phase, ...] = ("TEST", "TRAIN")
    for phase in phases:
        for tried in [tuple(stages)] if stages else [(), *((stage,) for stage in named)]:
            number = caffe_pb2.Phase.Value(phase)
            state = State(phase=number, level=net.state.level, stages=(*net.state.stage, *tried))
            if any(reads_pictures(layer) for layer in kept(net.layer, state)):
                return phase, tried
    return None


def where(layer: caffe_pb2.LayerParameter) -> str:
    """In which phase or stage a layer is in its net: `in phase TRAIN`, `in stage 'val'`, `always`."""
    rules = [" and ".join(_parts(rule)) or "always" for rule in layer.include]
    rules += [f"not {' and '.join(_parts(rule)) or 'at all'}" for rule in layer.exclude]
    return " or ".join(dict.fromkeys(rules)) or "always"


def _parts(rule: caffe_pb2.NetStateRule) -> Iterator[str]:
    if rule.HasField("phase"):
        yield f"in phase {caffe_pb2.Phase.Name(rule.phase)}"
    yield from (f"in stage '{stage}'" for stage in rule.stage)
    yield from (f"not in stage '{stage}'" for stage in rule.not_stage)
    if rule.HasField("min_level"):
        yield f"from level {rule.min_level} on"
    if rule.HasField("max_level"):
        yield f"up to level {rule.max_level}"


def places(net: caffe_pb2.NetParameter) -> str:
    """Where the net reads pictures, as a hint: `layer 'data' reads pictures in phase TRAIN`; empty if nowhere."""
    said = [
        f"layer '{layer.name}' ({layer.type}) exists {where(layer)}" for layer in net.layer if reads_pictures(layer)
    ]
    return "; ".join(dict.fromkeys(said))

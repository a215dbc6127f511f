"""A deploy net: an input for pictures, and an output for probabilities."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workflow.errors import NetError
from workflow.formats import blobproto, caffe_pb2
from workflow.formats.prototxt import read_net
from workflow.models.sources import picture_shape
from workflow.net.build import build
from workflow.net.deployed import deployed, picture_layer
from workflow.net.fill import classifying_layer
from workflow.net.paths import refuse_outside
from workflow.net.sources import places, state_with_pictures


@dataclass(frozen=True, kw_only=True, eq=False)
class Deploy:
    """The deploy net of a prototxt, as pictures are run through it."""

    source: Path
    net: caffe_pb2.NetParameter
    input: str
    """The blob that a picture goes into."""
    shape: tuple[int, int, int]
    """(C, H, W) of one picture there."""
    output: str | None
    """The blob of probabilities: what the last Softmax layer makes; None if there is none."""
    data: caffe_pb2.LayerParameter | None = None
    """The layer that read the pictures, if the file holds a training net; it may say mean and scale."""


def read(
    source: Path,
    *,
    weights: caffe_pb2.NetParameter | None = None,
    stored: tuple[int, int, int] | None = None,
    project: Path = Path(),
) -> Deploy:
    """Read a deploy net; a training net is converted to one, with a warning.

    Args:
        source: a prototxt of any age.
        weights: of the model; the channels of a training net's pictures may be known from them.
        stored: (C, H, W) of the pictures of a training net, if it is known.
        project: the folder that its paths are relative to; `Path()` is the current folder.

    Raises:
        PrototxtError, NetError: it is no net, or not one with a single input of (N, C, H, W); X09 it reaches for
            files outside the project.
    """
    net, data = read_net(source), None
    if state_with_pictures(net) is not None and not any(layer.type == "Input" for layer in net.layer):
        hint = f"wf net deploy {source} deploy.prototxt --shape C,H,W, then --net deploy.prototxt"
        net, data = from_training(net, source=source, weights=weights, stored=stored, project=project, hint=hint)
        logging.getLogger("workflow").warning(
            "%s is a training net: layer '%s' is taken as an input of %s, losses as probabilities",
            source,
            data.name,
            "×".join(str(size) for size in net.layer[0].input_param.shape[0].dim[1:]),
        )
    refuse_outside(net, project=project, at=source)
    spec = build(net, phase="TEST", source=source)
    if len(spec.inputs) != 1:
        raise NetError(f"{source} has {len(spec.inputs)} inputs, expected one: the picture", at=source)
    maker = next(layer for layer in spec.layers if layer.type == "Input")
    dims = [tuple(shape.dim) for shape in maker.message.input_param.shape]
    if len(dims) != 1 or len(dims[0]) != 4 or min(dims[0]) < 1:
        raise NetError(f"input '{spec.inputs[0]}' of {source} is {dims}, expected (N, C, H, W)", at=source)
    probabilities = [layer.tops[0] for layer in spec.layers if layer.type == "Softmax"]
    return Deploy(
        source=source,
        net=net,
        input=spec.inputs[0],
        shape=dims[0][1:],
        output=probabilities[-1] if probabilities else None,
        data=data,
    )


def from_training(
    net: caffe_pb2.NetParameter,
    *,
    source: Path,
    weights: caffe_pb2.NetParameter | None = None,
    stored: tuple[int, int, int] | None = None,
    stages: Sequence[str] = (),
    project: Path = Path(),
    hint: str = "--shape 3,32,32 says it: channels, height, width",
) -> tuple[caffe_pb2.NetParameter, caffe_pb2.LayerParameter]:
    """The deploy net of a training net, and the layer that read its pictures.

    Args:
        net: an upgraded net.
        source: its file.
        weights: of the model, if there are any: its channels.
        stored: (C, H, W) of the pictures, if it is known.
        stages: in which the net is looked at; none are those in which it reads pictures.
        project: the folder that its paths are relative to; `Path()` is the current folder.
        hint: how to give the shape where it is unknown.

    Raises:
        NetError: it reads no pictures, or pictures of an unknown shape.
    """
    state = state_with_pictures(net, stages)
    if state is None:
        what = (
            f"reads no pictures in stage {', '.join(stages)}"
            if stages
            else "reads no pictures: it is not a training net"
        )
        raise NetError(f"{source} {what}", at=source, hint=places(net) or None)
    data = picture_layer(net, *state)
    channels = None if weights is None else _channels(net, data, weights)
    shape = picture_shape(data, source=source, stored=stored, channels=channels, project=project, hint=hint)
    return deployed(net, shape, phase=state[0], stages=state[1]), data


def _channels(
    net: caffe_pb2.NetParameter, data: caffe_pb2.LayerParameter, weights: caffe_pb2.NetParameter
) -> int | None:
    """The number of channels that the first convolution over the pictures has weights for."""
    stored = {layer.name: layer.blobs[0] for layer in weights.layer if layer.blobs}
    for layer in net.layer:
        if layer.type == "Convolution" and layer.name in stored and set(layer.bottom) & set(data.top):
            shape = blobproto.shape_of(stored[layer.name])
            return shape[1] * layer.convolution_param.group if len(shape) == 4 else None
    return None


def check_outputs(deploy: Deploy, classes: tuple[str, ...]) -> None:
    """Check that there is one class name for each output of the classifying layer.

    Raises:
        NetError: X06, they are not as many.
    """
    try:
        layer = classifying_layer(deploy.net)
    except NetError:
        return  # a net that classifies in an unusual way; its probabilities are counted when it has run
    param = layer.convolution_param if layer.type == "Convolution" else layer.inner_product_param
    if param.num_output != len(classes):
        raise outputs_differ(layer.name, param.num_output, len(classes))


def outputs_differ(name: str, outputs: int, classes: int) -> NetError:
    """X06: the net has more or fewer outputs than there are class names."""
    return NetError(
        f"'{name}' has {outputs} outputs, but there are {classes} classes",
        hint=f"num_output: {classes}, or a labels file with {outputs} lines",
        fault="X06",
    )

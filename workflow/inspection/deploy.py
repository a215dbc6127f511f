"""A deploy net: one input for pictures, and where the probabilities come out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import read_net
from workflow.net.build import build
from workflow.net.fill import classifying_layer
from workflow.net.paths import refuse_outside


@dataclass(frozen=True, kw_only=True, eq=False)
class Deploy:
    """What the prototxt says about looking at pictures."""

    source: Path
    net: caffe_pb2.NetParameter
    input: str
    """The blob that a picture goes into."""
    shape: tuple[int, int, int]
    """(C, H, W) of one picture there."""
    output: str | None
    """The blob of probabilities: what the last Softmax layer makes; None if there is none."""


def read(source: Path) -> Deploy:
    """Read a deploy net.

    Raises:
        PrototxtError, NetError: it is no net, or not one with a single input of (N, C, H, W); X09 it reaches for
            files outside the project.
    """
    net = read_net(source)
    refuse_outside(net, at=source)
    spec = build(net, phase="TEST", source=source)
    if len(spec.inputs) != 1:
        hint = "give the deploy net; this one reads a database" if not spec.inputs else None
        raise NetError(f"{source} has {len(spec.inputs)} inputs, expected one: the picture", at=source, hint=hint)
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
    )


def check_outputs(deploy: Deploy, classes: tuple[str, ...]) -> None:
    """Compare the classifying layer with the names that there are for its outputs.

    Raises:
        NetError: X06, they are not as many.
    """
    try:
        layer = classifying_layer(deploy.net)
    except NetError:
        return  # a net that classifies in a way of its own; its probabilities are counted when it has run
    param = layer.convolution_param if layer.type == "Convolution" else layer.inner_product_param
    if param.num_output != len(classes):
        raise outputs_differ(layer.name, param.num_output, len(classes))


def outputs_differ(name: str, outputs: int, classes: int) -> NetError:
    """X06: the net tells other classes apart than there are names for."""
    return NetError(
        f"'{name}' has {outputs} outputs, but there are {classes} classes",
        hint=f"num_output: {classes}, or a labels file with {outputs} lines",
        fault="X06",
    )

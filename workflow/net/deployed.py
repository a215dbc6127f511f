"""Make a deploy net of a training net: its data layer becomes an input, its loss a Softmax."""

from __future__ import annotations

from collections.abc import Sequence

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.net.rules import State, kept
from workflow.net.sources import reads_pictures
from workflow.net.spec import Phase

_HEADS = {"SoftmaxWithLoss": "Softmax", "InfogainLoss": "Softmax", "SigmoidCrossEntropyLoss": "Sigmoid"}
"""Losses over scores, and the layer that makes probabilities of these."""
_ENDS = ("Accuracy", "Silence", "HDF5Output")
_OUTPUT = "prob"

_Layers = list[caffe_pb2.LayerParameter]


def picture_layer(net: caffe_pb2.NetParameter, phase: Phase, stages: Sequence[str]) -> caffe_pb2.LayerParameter:
    """The first layer that reads pictures in that state, which has one; see `sources.state_with_pictures`."""
    return next(layer for layer in _kept(net, phase, stages) if reads_pictures(layer))


def deployed(
    net: caffe_pb2.NetParameter, shape: tuple[int, int, int], *, phase: Phase, stages: Sequence[str] = ()
) -> caffe_pb2.NetParameter:
    """The deploy net for the same weights.

    Layers that need labels are left out, and so are auxiliary losses (of a smaller loss weight than another) with the
    layers that nothing else needs. Layer names stay as they are, so that the weights fit.

    Args:
        net: an upgraded net.
        shape: (C, H, W) of a picture behind its transform.
        phase: one in which the net reads pictures.
        stages: beside those of its state.

    Raises:
        NetError: nothing is left behind the picture.
    """
    layers = _kept(net, phase, stages)
    source = next(layer for layer in layers if reads_pictures(layer))
    picture = _picture_top(source)
    result = caffe_pb2.NetParameter(name=net.name)
    entry = result.layer.add(name=source.name, type="Input", top=[picture])
    entry.input_param.shape.add(dim=[1, *shape])
    body, losses = _without_labels(layers, source, picture)
    body += _heads(losses, body)
    answers = {layer.top[0] for layer in body if layer.type == "Softmax" or layer.name.endswith(_OUTPUT)}
    if answers:
        body = _needed(body, answers)
    if not body:
        raise NetError(f"no layer of net '{net.name}' needs nothing but the picture '{picture}'")
    for layer in body:
        result.layer.add().CopyFrom(layer)
    return result


def _kept(net: caffe_pb2.NetParameter, phase: Phase, stages: Sequence[str]) -> _Layers:
    state = State(phase=caffe_pb2.Phase.Value(phase), level=net.state.level, stages=(*net.state.stage, *stages))
    return kept(net.layer, state)


def _picture_top(source: caffe_pb2.LayerParameter) -> str:
    """The top called `data`, for those who name labels first, else the first."""
    return "data" if "data" in source.top else source.top[0]


def _without_labels(layers: _Layers, source: caffe_pb2.LayerParameter, picture: str) -> tuple[_Layers, _Layers]:
    """Plain copies of the layers that the picture alone reaches; and the losses over what these make."""
    body: _Layers = []
    losses: _Layers = []
    known = {picture}
    for layer in layers:
        if layer is source:
            continue
        if layer.type in _HEADS and layer.bottom and layer.bottom[0] in known:
            losses.append(layer)
        elif layer.type.endswith("Loss") or layer.type in _ENDS or reads_pictures(layer):
            continue
        elif all(bottom in known for bottom in layer.bottom):
            body.append(_plain(layer))
            known.update(layer.top)
        else:
            known.difference_update(layer.top)  # a label has touched a blob in place
    return body, losses


def _heads(losses: _Layers, body: _Layers) -> _Layers:
    """Softmax layers that replace the losses; none if the net already has one."""
    most = max((_weight(loss) for loss in losses), default=0.0)
    main = [loss for loss in losses if _weight(loss) == most]
    made = {layer.bottom[0] for layer in body if layer.type in _HEADS.values()}
    taken = {top for layer in body for top in layer.top} | {layer.name for layer in body}
    heads: _Layers = []
    for number, loss in enumerate(main):
        if loss.bottom[0] in made:
            continue
        name = _OUTPUT if number == len(main) - 1 and _OUTPUT not in taken else f"{loss.name}_{_OUTPUT}"
        head = caffe_pb2.LayerParameter(name=name, type=_HEADS[loss.type], bottom=[loss.bottom[0]], top=[name])
        if loss.HasField("softmax_param"):
            head.softmax_param.CopyFrom(loss.softmax_param)
        heads.append(head)
    return heads


def _weight(loss: caffe_pb2.LayerParameter) -> float:
    return loss.loss_weight[0] if loss.loss_weight else 1.0


def _needed(layers: _Layers, wanted: set[str]) -> _Layers:
    """The layers that make the wanted blobs, in order."""
    needed: _Layers = []
    for layer in reversed(layers):
        if wanted.intersection(layer.top):
            needed.append(layer)
            wanted = wanted | set(layer.bottom)
    return needed[::-1]


def _plain(layer: caffe_pb2.LayerParameter) -> caffe_pb2.LayerParameter:
    plain = caffe_pb2.LayerParameter()
    plain.CopyFrom(layer)
    for field in ("include", "exclude", "loss_weight", "propagate_down", "phase"):
        plain.ClearField(field)
    return plain

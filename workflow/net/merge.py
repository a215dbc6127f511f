"""Merge separate train and test nets, as solvers named them before 2014, into one train_test net."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from google.protobuf.message import Message

from workflow.formats import caffe_pb2
from workflow.net.rules import State, kept

_Layers = Sequence[caffe_pb2.LayerParameter]


def merge(train: caffe_pb2.NetParameter, test: caffe_pb2.NetParameter) -> caffe_pb2.NetParameter:
    """One net that is `train` in phase TRAIN and `test` in phase TEST.

    Layers that both have stand once, as the train net has them: rates, decays and fillers, which a test net does not
    need, make no difference. The others get `include { phase: ... }`, in the order of their own net.

    Args:
        train: an upgraded net; with its `state`, but for the layers the result is it.
        test: an upgraded net.
    """
    result = caffe_pb2.NetParameter()
    result.CopyFrom(train)
    del result.layer[:]
    ours, theirs = _of_phase(train, caffe_pb2.TRAIN), _of_phase(test, caffe_pb2.TEST)
    matcher = SequenceMatcher(None, [_essence(one) for one in ours], [_essence(one) for one in theirs], autojunk=False)
    for what, a, b, c, d in matcher.get_opcodes():
        if what == "equal":
            result.layer.extend(ours[a:b])
            continue
        for layers, phase in ((ours[a:b], caffe_pb2.TRAIN), (theirs[c:d], caffe_pb2.TEST)):
            for layer in layers:
                result.layer.add().CopyFrom(layer)
                result.layer[-1].include.add(phase=phase)
    return result


def _of_phase(net: caffe_pb2.NetParameter, phase: caffe_pb2.Phase) -> list[caffe_pb2.LayerParameter]:
    """The net's layers in that phase, without their rules."""
    layers = []
    for layer in kept(net.layer, State(phase=phase, level=net.state.level, stages=tuple(net.state.stage))):
        plain = caffe_pb2.LayerParameter()
        plain.CopyFrom(layer)
        plain.ClearField("include")
        plain.ClearField("exclude")
        layers.append(plain)
    return layers


def _essence(layer: caffe_pb2.LayerParameter) -> bytes:
    """The message by which layers of both nets are compared."""
    bare = caffe_pb2.LayerParameter()
    bare.CopyFrom(layer)
    bare.ClearField("param")
    for field, message in layer.ListFields():
        if field.message_type is not None and not field.is_repeated:
            _strip(getattr(bare, field.name), message)
    return bare.SerializeToString(deterministic=True)


def _strip(bare: Message, message: Message) -> None:
    """Remove fillers and fields with default values from a layer's message."""
    for field, value in message.ListFields():
        # repeated fillers belong to DummyData, where they are the data
        filler = field.message_type is caffe_pb2.FillerParameter.DESCRIPTOR and not field.is_repeated
        if filler or (field.has_default_value and value == field.default_value):
            bare.ClearField(field.name)

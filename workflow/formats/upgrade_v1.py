"""Nets of 2014, `layers { type: CONVOLUTION blobs_lr: 1 }`, to today's `layer { type: "Convolution" param { } }`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workflow.formats import caffe_pb2

V1_TYPES = {
    "NONE": "",
    "ABSVAL": "AbsVal",
    "ACCURACY": "Accuracy",
    "ARGMAX": "ArgMax",
    "BNLL": "BNLL",
    "CONCAT": "Concat",
    "CONTRASTIVE_LOSS": "ContrastiveLoss",
    "CONVOLUTION": "Convolution",
    "DATA": "Data",
    "DECONVOLUTION": "Deconvolution",
    "DROPOUT": "Dropout",
    "DUMMY_DATA": "DummyData",
    "ELTWISE": "Eltwise",
    "EUCLIDEAN_LOSS": "EuclideanLoss",
    "EXP": "Exp",
    "FLATTEN": "Flatten",
    "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output",
    "HINGE_LOSS": "HingeLoss",
    "IM2COL": "Im2col",
    "IMAGE_DATA": "ImageData",
    "INFOGAIN_LOSS": "InfogainLoss",
    "INNER_PRODUCT": "InnerProduct",
    "LRN": "LRN",
    "MEMORY_DATA": "MemoryData",
    "MULTINOMIAL_LOGISTIC_LOSS": "MultinomialLogisticLoss",
    "MVN": "MVN",
    "POOLING": "Pooling",
    "POWER": "Power",
    "RELU": "ReLU",
    "SIGMOID": "Sigmoid",
    "SIGMOID_CROSS_ENTROPY_LOSS": "SigmoidCrossEntropyLoss",
    "SILENCE": "Silence",
    "SLICE": "Slice",
    "SOFTMAX": "Softmax",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "SPLIT": "Split",
    "TANH": "TanH",
    "THRESHOLD": "Threshold",
    "WINDOW_DATA": "WindowData",
}
"""V1's enum -> V2's string."""

_DATA_BLOCKS = {"DATA": "data_param", "IMAGE_DATA": "image_data_param", "WINDOW_DATA": "window_data_param"}
_TRANSFORMS = ("scale", "mean_file", "crop_size", "mirror")
_PARAM_BLOCKS = [
    field.name
    for field in caffe_pb2.V1LayerParameter.DESCRIPTOR.fields
    if field.message_type is not None and field.name.endswith("_param")
]


def move_data_transforms(net: caffe_pb2.NetParameter) -> caffe_pb2.NetParameter:
    """Scale, mean file, crop and mirror of V1 data layers go to `transform_param`; V2 layers ignore them there."""
    moved = caffe_pb2.NetParameter()
    moved.CopyFrom(net)
    for layer in moved.layers:
        block = _DATA_BLOCKS.get(_type_name(layer))
        if block is None or not layer.HasField(block):
            continue
        source = getattr(layer, block)
        for name in _TRANSFORMS:
            if source.HasField(name):
                setattr(layer.transform_param, name, getattr(source, name))
                source.ClearField(name)
    return moved


def v1_to_v2(net: caffe_pb2.NetParameter) -> caffe_pb2.NetParameter:
    """Every `layers` entry as a `layer`, in order."""
    new = caffe_pb2.NetParameter()
    new.CopyFrom(net)
    new.ClearField("layers")
    for layer in net.layers:
        _convert(layer, new.layer.add())
    return new


def _convert(old: caffe_pb2.V1LayerParameter, new: caffe_pb2.LayerParameter) -> None:
    if old.HasField("name"):
        new.name = old.name
    if old.HasField("type"):
        new.type = V1_TYPES[_type_name(old)]
    for name in ("bottom", "top", "loss_weight", "blobs", "include", "exclude"):
        getattr(new, name).extend(getattr(old, name))
    _convert_params(old, new)
    for name in _PARAM_BLOCKS:
        if old.HasField(name):
            getattr(new, name).CopyFrom(getattr(old, name))


def _convert_params(old: caffe_pb2.V1LayerParameter, new: caffe_pb2.LayerParameter) -> None:
    """Four parallel lists, of any lengths, become one list of `param { }`."""
    lists: dict[str, Sequence[Any]] = {
        "name": old.param,
        "share_mode": old.blob_share_mode,
        "lr_mult": old.blobs_lr,
        "decay_mult": old.weight_decay,
    }
    for _ in range(max(map(len, lists.values()))):
        new.param.add()
    for name, values in lists.items():
        for param, value in zip(new.param, values, strict=False):  # the shorter lists leave the rest unset
            setattr(param, name, value)


def _type_name(layer: caffe_pb2.V1LayerParameter) -> str:
    return caffe_pb2.V1LayerParameter.LayerType.Name(layer.type)

"""Nets of 2013, `layers { layer { type: "conv" kernelsize: 5 } bottom: "data" }`, to V1."""

from __future__ import annotations

import logging
from typing import Any

from workflow.errors import did_you_mean
from workflow.formats import caffe_pb2
from workflow.formats.upgrade_error import UpgradeError

V0_TYPES = {
    "accuracy": "ACCURACY",
    "bnll": "BNLL",
    "concat": "CONCAT",
    "conv": "CONVOLUTION",
    "data": "DATA",
    "dropout": "DROPOUT",
    "euclidean_loss": "EUCLIDEAN_LOSS",
    "flatten": "FLATTEN",
    "hdf5_data": "HDF5_DATA",
    "hdf5_output": "HDF5_OUTPUT",
    "im2col": "IM2COL",
    "images": "IMAGE_DATA",
    "infogain_loss": "INFOGAIN_LOSS",
    "innerproduct": "INNER_PRODUCT",
    "lrn": "LRN",
    "multinomial_logistic_loss": "MULTINOMIAL_LOGISTIC_LOSS",
    "pool": "POOLING",
    "relu": "RELU",
    "sigmoid": "SIGMOID",
    "softmax": "SOFTMAX",
    "softmax_loss": "SOFTMAX_LOSS",
    "split": "SPLIT",
    "tanh": "TANH",
    "window_data": "WINDOW_DATA",
}
"""V0's string -> V1's enum; `padding` is no type of V1, its pad goes to the layer that reads it."""

# V0's field -> for each type that has a place for it: block and field of V1
_PLACES: dict[str, dict[str, tuple[str, str]]] = {
    "num_output": {
        "conv": ("convolution_param", "num_output"),
        "innerproduct": ("inner_product_param", "num_output"),
    },
    "biasterm": {"conv": ("convolution_param", "bias_term"), "innerproduct": ("inner_product_param", "bias_term")},
    "weight_filler": {
        "conv": ("convolution_param", "weight_filler"),
        "innerproduct": ("inner_product_param", "weight_filler"),
    },
    "bias_filler": {
        "conv": ("convolution_param", "bias_filler"),
        "innerproduct": ("inner_product_param", "bias_filler"),
    },
    "pad": {"conv": ("convolution_param", "pad"), "pool": ("pooling_param", "pad")},
    "kernelsize": {"conv": ("convolution_param", "kernel_size"), "pool": ("pooling_param", "kernel_size")},
    "group": {"conv": ("convolution_param", "group")},
    "stride": {"conv": ("convolution_param", "stride"), "pool": ("pooling_param", "stride")},
    "pool": {"pool": ("pooling_param", "pool")},
    "dropout_ratio": {"dropout": ("dropout_param", "dropout_ratio")},
    "local_size": {"lrn": ("lrn_param", "local_size")},
    "alpha": {"lrn": ("lrn_param", "alpha")},
    "beta": {"lrn": ("lrn_param", "beta")},
    "k": {"lrn": ("lrn_param", "k")},
    "source": {
        "data": ("data_param", "source"),
        "hdf5_data": ("hdf5_data_param", "source"),
        "images": ("image_data_param", "source"),
        "window_data": ("window_data_param", "source"),
        "infogain_loss": ("infogain_loss_param", "source"),
    },
    "batchsize": {
        "data": ("data_param", "batch_size"),
        "hdf5_data": ("hdf5_data_param", "batch_size"),
        "images": ("image_data_param", "batch_size"),
        "window_data": ("window_data_param", "batch_size"),
    },
    "rand_skip": {"data": ("data_param", "rand_skip"), "images": ("image_data_param", "rand_skip")},
    "shuffle_images": {"images": ("image_data_param", "shuffle")},
    "new_height": {"images": ("image_data_param", "new_height")},
    "new_width": {"images": ("image_data_param", "new_width")},
    "concat_dim": {"concat": ("concat_param", "concat_dim")},
    "det_fg_threshold": {"window_data": ("window_data_param", "fg_threshold")},
    "det_bg_threshold": {"window_data": ("window_data_param", "bg_threshold")},
    "det_fg_fraction": {"window_data": ("window_data_param", "fg_fraction")},
    "det_context_pad": {"window_data": ("window_data_param", "context_pad")},
    "det_crop_mode": {"window_data": ("window_data_param", "crop_mode")},
    "hdf5_output_param": {"hdf5_output": ("hdf5_output_param", "")},
}
_TRANSFORMS = {"scale": "scale", "meanfile": "mean_file", "cropsize": "crop_size", "mirror": "mirror"}
_TYPE = ("layer", 0, "type", 0)  # where it is written, from the entry of `layers` on
_KEPT = ("name", "type", "blobs", "blobs_lr", "weight_decay")


def v0_to_v1(net: caffe_pb2.NetParameter, *, weights: bool = False) -> caffe_pb2.NetParameter:
    """Every entry as V1; `padding` layers disappear into the convolution or pooling that reads them.

    In a caffemodel (`weights`) an unknown type is no reason to stop: the layer gets none.

    Raises:
        UpgradeError: a type that V0 never had, or padding that nothing can take over.
    """
    new = caffe_pb2.NetParameter()
    new.CopyFrom(net)
    new.ClearField("layers")
    for index, layer in enumerate(net.layers):
        name, kind = layer.layer.name, layer.layer.type
        if not (weights or kind in V0_TYPES or kind in ("padding", "")):
            hint = did_you_mean(kind, [*V0_TYPES, "padding"])
            raise UpgradeError(f"layer '{name}': unknown old type '{kind}'", "layers", index, *_TYPE, hint=hint)
    for layer in _absorb_padding(net):
        _convert(layer, new.layers.add(), weights=weights)
    return new


def _absorb_padding(net: caffe_pb2.NetParameter) -> list[caffe_pb2.V1LayerParameter]:
    producers: dict[str, caffe_pb2.V1LayerParameter] = {}  # blob -> the last layer that made it
    kept: list[caffe_pb2.V1LayerParameter] = []
    for old in net.layers:
        layer = caffe_pb2.V1LayerParameter()
        layer.CopyFrom(old)
        for index, bottom in enumerate(layer.bottom):
            producer = producers.get(bottom)
            if producer is not None and producer.layer.type == "padding":
                _take_over(layer, index, producer)
        if layer.layer.type != "padding":
            kept.append(layer)
        producers.update(dict.fromkeys(layer.top, layer))
    return kept


def _take_over(layer: caffe_pb2.V1LayerParameter, index: int, padding: caffe_pb2.V1LayerParameter) -> None:
    name = padding.layer.name
    if layer.layer.type not in ("conv", "pool"):
        raise UpgradeError(
            f"padding layer '{name}' is read by '{layer.layer.name}' ({layer.layer.type}), expected conv or pool"
        )
    if (len(layer.bottom), len(padding.bottom), len(padding.top)) != (1, 1, 1):
        raise UpgradeError(f"padding layer '{name}' and its reader need one bottom and one top each")
    layer.layer.pad = padding.layer.pad
    layer.bottom[index] = padding.bottom[0]


def _convert(old: caffe_pb2.V1LayerParameter, new: caffe_pb2.V1LayerParameter, *, weights: bool) -> None:
    new.bottom.extend(old.bottom)
    new.top.extend(old.top)
    v0 = old.layer
    if v0.HasField("name"):
        new.name = v0.name
    known = v0.type in V0_TYPES
    if known:
        new.type = getattr(caffe_pb2.V1LayerParameter, V0_TYPES[v0.type])
    new.blobs.extend(v0.blobs)
    new.blobs_lr.extend(v0.blobs_lr)
    new.weight_decay.extend(v0.weight_decay)
    for field, value in v0.ListFields():
        if field.name not in _KEPT and (known or not weights):
            _place(v0, field.name, value, new)


def _place(v0: caffe_pb2.V0LayerParameter, name: str, value: Any, new: caffe_pb2.V1LayerParameter) -> None:
    if name in _TRANSFORMS:
        setattr(new.transform_param, _TRANSFORMS[name], value)
        return
    place = _PLACES.get(name, {}).get(v0.type)
    if place is None:  # Caffe logs this and continues, too
        logging.getLogger("workflow").warning(
            "layer '%s': '%s' has no meaning for the old type '%s'; ignored", v0.name, name, v0.type
        )
        return
    block, field = place
    target = getattr(new, block)
    if not field:
        target.CopyFrom(value)
        return
    kind = target.DESCRIPTOR.fields_by_name[field]
    if kind.is_repeated:
        getattr(target, field).append(value)
    elif kind.message_type is not None:
        getattr(target, field).CopyFrom(value)
    else:
        setattr(target, field, value)

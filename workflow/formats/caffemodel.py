"""Trained weights: a NetParameter whose layers have blobs; binary or HDF5, old or new."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from google.protobuf.message import DecodeError, EncodeError, Message

from workflow.errors import ModelError
from workflow.formats import caffe_pb2, hdf5
from workflow.formats.blobproto import Array, check, to_array, widen
from workflow.formats.files import read_whole
from workflow.formats.foreign import refuse_foreign, refuse_message
from workflow.formats.upgrade import upgrade_net
from workflow.formats.upgrade_error import UpgradeError
from workflow.storage import atomic_write

_HINT = "use an older snapshot, or copy the file again"
_WANTED = "weights are in a .caffemodel or a .caffemodel.h5"


def read(path: Path) -> caffe_pb2.NetParameter:
    """The model, upgraded to today's layers, every blob checked against its shape; half floats become floats.

    Layers of unknown types keep their names and blobs.
    HDF5 files are recognised by their first bytes; their layers have a name and blobs, nothing else.

    Raises:
        ModelError: C01 missing, empty, truncated or damaged; C03 a solver's state; C04 a pickle, which is never opened.
        EnvironmentFault: the operating system refuses to read it.
    """
    path = Path(path)
    data = read_whole(path, error=ModelError, fault="C01")
    if not data:
        raise ModelError(f"{path} is empty", hint=_HINT, fault="C01")
    if hdf5.is_hdf5(data):
        return _checked(hdf5.read_net(path), path)
    refuse_foreign(path, data, hint=_WANTED)
    try:
        net = caffe_pb2.NetParameter.FromString(data)
    except DecodeError:
        _refuse_state(path, data)
        raise ModelError(f"{path} is truncated or damaged", hint=_HINT, fault="C01") from None
    if not net.layer and not any(layer.name for layer in net.layers):
        _refuse_state(path, data)
        refuse_message(path, data, caffe_pb2.NetParameter, hint=_WANTED)
    for name in _not_utf8(net):
        text = name.decode("utf-8", "backslashreplace")
        raise ModelError(f"{path}: name '{text}' is not UTF-8", hint=_HINT, fault="C01")
    try:
        net, notes = upgrade_net(net, weights=True)
    except UpgradeError as error:
        raise ModelError(f"{path}: {error.message}", fault="C01") from None
    if notes:
        logging.getLogger("workflow").debug("%s upgraded from an old format (%s)", path, ", ".join(notes))
    if not net.layer:
        raise ModelError(f"{path} has no layers", hint=_HINT, fault="C01")
    return _checked(net, path)


def write(path: Path, model: caffe_pb2.NetParameter) -> None:
    """Replace `path` by the model, binary, as a whole and durably.

    Raises:
        ModelError: the model has no layers, or is 2 GiB or more.
        OSError: as the operating system says it.
    """
    if not model.layer:
        raise ModelError(f"refusing to write {path}: the model has no layers")
    try:
        data = model.SerializeToString()
    except (EncodeError, ValueError) as error:  # a message of 2 GiB
        raise ModelError(f"cannot write {path}: {error}", hint="write HDF5: snapshot_format: HDF5") from error
    atomic_write(Path(path), data)


def write_hdf5(path: Path, model: caffe_pb2.NetParameter) -> None:
    """Replace `path` by the model as Caffe's `snapshot_format: HDF5` writes it, as a whole and durably.

    Raises:
        ModelError: the model has no layers, or a layer's name that HDF5 cannot express.
        OSError: as the operating system says it.
    """
    if not model.layer:
        raise ModelError(f"refusing to write {path}: the model has no layers")
    hdf5.write_net(Path(path), model)


def arrays(layer: caffe_pb2.LayerParameter) -> list[Array]:
    """The layer's blobs as float32 arrays, in order; new memory.

    Raises:
        ModelError: a blob whose values do not fill its shape.
    """
    return [to_array(blob) for blob in layer.blobs]


def nonfinite(model: caffe_pb2.NetParameter) -> dict[str, int]:
    """Layers with NaN or infinite weights, and how many; empty for a sound model (C05)."""
    counts: dict[str, int] = {}
    for layer in model.layer:
        bad = sum(int(array.size - np.isfinite(array).sum()) for array in arrays(layer))
        if bad:
            counts[layer.name] = counts.get(layer.name, 0) + bad
    return counts


def _checked(net: caffe_pb2.NetParameter, path: Path) -> caffe_pb2.NetParameter:
    for layer in net.layer:
        for index, blob in enumerate(layer.blobs):
            try:
                widen(blob)
                check(blob)
            except ModelError as error:
                raise ModelError(
                    f"{path}: layer '{layer.name}', blob {index}: {error.message}", hint=_HINT, fault="C01"
                ) from None
    return net


def _not_utf8(message: Message) -> Iterator[bytes]:
    """Strings, but for those within blobs, that are no text: protobuf's parser takes any bytes and gives them back."""
    for field, value in message.ListFields():
        parts = value if field.is_repeated else (value,)
        if field.type == field.TYPE_STRING:
            yield from (part for part in parts if isinstance(part, bytes))
        elif field.message_type is not None and field.message_type.name != "BlobProto":
            for part in parts:
                yield from _not_utf8(part)


def _refuse_state(path: Path, data: bytes) -> None:
    """A solverstate's bytes can pass for an odd net; say what it is."""
    try:
        state = caffe_pb2.SolverState.FromString(data)
    except DecodeError:
        return
    if state.HasField("iter") and state.history:
        learned = state.learned_net or path.with_suffix(".caffemodel").name
        raise ModelError(f"{path} holds solver state, not weights", hint=f"its weights are in {learned}", fault="C03")

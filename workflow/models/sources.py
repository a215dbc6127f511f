"""Find the shape of the pictures that a training net reads, without running it."""

from __future__ import annotations

from pathlib import Path

from workflow.errors import NetError, WorkflowError
from workflow.formats import caffe_pb2, datum, hdf5_arrays
from workflow.formats.binaryproto import read_mean
from workflow.formats.text import decode_names
from workflow.net.paths import inside

Size = tuple[int, int, int]  # (C, H, W)


def picture_shape(
    layer: caffe_pb2.LayerParameter,
    *,
    source: Path,
    stored: Size | None = None,
    channels: int | None = None,
    project: Path = Path(),
    hint: str = "--shape 3,32,32 says it: channels, height, width",
) -> Size:
    """(C, H, W) of the layer's output for one picture, after crop and resize.

    Its own settings count first, then what is said, then what it reads, where that lies in the project.

    Args:
        layer: one of `net.sources.SOURCES`, or a Python layer, whose shape is unknown.
        source: the net's file, for the message.
        stored: of the pictures as they are stored, if it is known.
        channels: of the net's first weights, where they are not known otherwise.
        project: the folder that the net's paths are relative to; `Path()` is the current folder.
        hint: how to give the shape.

    Raises:
        NetError: it is not known.
    """
    if layer.type == "MemoryData":
        param = layer.memory_data_param
        return (param.channels, param.height, param.width)
    crop = layer.transform_param.crop_size
    stored = stored or _settings(layer) or _database(layer, project) or _rows(layer, project) or _mean(layer, project)
    if stored is None and crop:
        stored = (channels or _colours(layer), crop, crop)
    if stored is None:
        raise NetError(
            f"layer '{layer.name}' ({layer.type}) of {source} reads pictures of an unknown shape",
            at=source,
            hint=hint,
        )
    return (stored[0], crop or stored[1], crop or stored[2])


def _colours(layer: caffe_pb2.LayerParameter) -> int:
    if layer.type == "ImageData":
        return 3 if layer.image_data_param.is_color else 1
    values = len(layer.transform_param.mean_value)
    return values if values > 1 else 3


def _settings(layer: caffe_pb2.LayerParameter) -> Size | None:
    param = layer.image_data_param
    if layer.type == "ImageData" and param.new_height and param.new_width:
        return (_colours(layer), param.new_height, param.new_width)
    return None


def _database(layer: caffe_pb2.LayerParameter, project: Path) -> Size | None:
    from workflow.formats.lmdb import Reader  # which running a deploy net does not need

    if layer.type != "Data" or not inside(layer.data_param.source, project):
        return None
    try:
        with Reader(project / layer.data_param.source) as reader:
            return datum.decode(reader.values(0, 1)[0])[0].shape
    except WorkflowError:
        return None  # the net may be shown on a machine without its data


def _rows(layer: caffe_pb2.LayerParameter, project: Path) -> Size | None:
    if layer.type != "HDF5Data" or not inside(layer.hdf5_data_param.source, project):
        return None
    try:
        first = decode_names((project / layer.hdf5_data_param.source).read_bytes()).split()[0]
        shape = hdf5_arrays.shapes(project / first, layer.top)[layer.top[0]] if inside(first, project) else ()
    except (WorkflowError, OSError, IndexError, UnicodeDecodeError):
        return None
    return (shape[1], shape[2], shape[3]) if len(shape) == 4 else None


def _mean(layer: caffe_pb2.LayerParameter, project: Path) -> Size | None:
    path = layer.transform_param.mean_file
    if not path or not inside(path, project):
        return None
    try:
        shape = read_mean(project / path).shape
    except WorkflowError:
        return None
    return (shape[0], shape[1], shape[2])

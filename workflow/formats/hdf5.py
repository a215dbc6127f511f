"""Caffe's HDF5 files: /data/LAYER/0, 1, … for models; iter, learned_net, current_step, history/0, 1, … for states."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workflow.errors import ModelError
from workflow.formats import caffe_pb2
from workflow.formats.blobproto import Array, diff_to_array, from_array, shape_of, to_array
from workflow.storage import replacing

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MAX_AXES = 32  # Caffe's blobs have no more
_MAX_RATIO = 100  # bytes of an array for each byte in the file; Caffe does not compress
_ALWAYS_READ = 2**20
_MAX_GAPS = 64  # parameters of one layer that others own
_NUMBER = re.compile("0|[1-9][0-9]{0,8}")


def is_hdf5(data: bytes) -> bool:
    """Whether a file that starts with these bytes is HDF5."""
    return data.startswith(SIGNATURE)


def read_net(path: Path) -> caffe_pb2.NetParameter:
    """Layers with a name and blobs, in the file's order (alphabetical).

    A parameter that another layer owns is not in the file; where the layer has others behind it, an empty blob of shape
    (0,) takes its place.

    Raises:
        ModelError: damaged, or no model's file.
    """
    net = caffe_pb2.NetParameter()
    with _opened(path) as file:
        data = _group(file, "data", path)
        for name in data:
            layer = net.layer.add(name=str(name))
            arrays = _numbered(_group(data, name, path), path)
            diff = _diffs(file, name, path)
            if max(arrays, default=-1) + 1 - len(arrays) > _MAX_GAPS:
                raise ModelError(f"{path}: layer '{name}' has only some of its arrays", fault="C01")
            for index in range(max(arrays, default=-1) + 1):
                found = index in arrays
                array = arrays[index] if found else np.zeros(0, np.float32)
                layer.blobs.append(from_array(array, diff=diff.get(index) if found else None))
    return net


def write_net(path: Path, model: caffe_pb2.NetParameter) -> None:
    """A group for every layer; a shared parameter is stored by its first owner alone.

    Gradients go to /diff where every blob has one (`snapshot_diff`).

    Raises:
        ModelError: a layer's name with a '/', or twice: HDF5 has no such names.
    """
    owned: set[str] = set()
    has_diff = all(
        len(blob.diff) or len(blob.double_diff) for layer in model.layer for blob in layer.blobs if _holds(blob)
    )
    with replacing(path) as temporary, _opened(temporary, "w") as file:
        data = file.create_group("data")
        diff = file.create_group("diff") if has_diff and _has_blobs(model) else None
        for layer in model.layer:
            if "/" in layer.name or not layer.name.strip(".") or layer.name in data:
                raise ModelError(f"layer '{layer.name}' cannot be a name in HDF5, or is there twice")
            group = data.create_group(layer.name)
            diff_group = None if diff is None else diff.create_group(layer.name)
            for index, blob in enumerate(layer.blobs):
                name = layer.param[index].name if index < len(layer.param) else ""
                if not _holds(blob):
                    continue
                if diff_group is not None:
                    diff_group.create_dataset(str(index), data=diff_to_array(blob))
                if name not in owned:
                    group.create_dataset(str(index), data=to_array(blob))
                owned.update({name} - {""})


def read_state(path: Path) -> tuple[int, str, int, list[Array]]:
    """Iteration, learned_net, current_step and history.

    Raises:
        ModelError: damaged, or no state's file (C03 for a model's).
    """
    with _opened(path) as file:
        if "iter" not in file and "data" in file:
            raise ModelError(f"{path} holds weights, not solver state", hint="use the .solverstate.h5", fault="C03")
        iteration = _integer(file, "iter", path)
        step = _integer(file, "current_step", path) if "current_step" in file else 0
        learned = file.get("learned_net")
        text = learned[()] if _is_dataset(learned) and learned.shape == () else b""
        history = _numbered(_group(file, "history", path), path) if "history" in file else {}
        if sorted(history) != list(range(len(history))):
            raise ModelError(f"{path}: its history has gaps, expected 0 to {len(history) - 1}", fault="C01")
        name = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        return iteration, name, step, [history[index] for index in range(len(history))]


def write_state(path: Path, iteration: int, learned_net: str, current_step: int, history: list[Array]) -> None:
    """As Caffe's `snapshot_format: HDF5` writes it."""
    with replacing(path) as temporary, _opened(temporary, "w") as file:
        file["iter"] = np.array([iteration], np.int32)
        # a string of fixed length with its final zero, as H5LTmake_dataset_string makes it
        file["learned_net"] = np.bytes_(learned_net.encode() + b"\0")
        file["current_step"] = np.array([current_step], np.int32)
        group = file.create_group("history")
        for index, array in enumerate(history):
            group.create_dataset(str(index), data=array.astype(np.float32))


# ---- a file that may be hostile ---------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path, mode: str = "r") -> Iterator[Any]:
    """Open a file with h5py; its errors become a ModelError."""
    import h5py  # 100 ms that a binary model does not need

    try:
        with h5py.File(path, mode) as file:
            yield file
    except ModelError:
        raise
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        RuntimeError,
        AttributeError,
        OverflowError,
        MemoryError,
    ) as error:
        if mode == "w":
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{path} is damaged or not a Caffe file: {reason}", fault="C01") from error


def _group(parent: Any, name: str, path: Path) -> h5py.Group:
    import h5py

    # Only what is in this file: soft and external links could name any other.
    if name not in parent or not isinstance(parent.get(name, getlink=True), h5py.HardLink):
        raise ModelError(f"{path} has no group '{name}'", hint="is this Caffe's file?", fault="C01")
    group = parent[name]
    if not isinstance(group, h5py.Group):
        raise ModelError(f"{path}: '{name}' is not a group", fault="C01")
    return group


def _is_dataset(thing: Any) -> bool:
    import h5py

    return isinstance(thing, h5py.Dataset)


def _numbered(group: h5py.Group, path: Path) -> dict[int, Array]:
    """Datasets 0, 1, … of a group by their numbers, of which some may be missing."""
    numbers = [int(name) for name in group if _NUMBER.fullmatch(name)]
    return {number: _array(group, str(number), path) for number in sorted(numbers)}


def _array(group: Any, name: str, path: Path) -> Array:
    import h5py

    dataset: Any = group[name] if isinstance(group.get(name, getlink=True), h5py.HardLink) else None
    if not _is_dataset(dataset) or dataset.dtype.kind != "f" or dataset.ndim > _MAX_AXES:
        raise ModelError(f"{path}: '{group.name}/{name}' is not an array of floats", fault="C01")
    stored = dataset.id.get_storage_size()  # what lies in the file: a few bytes can claim gigabytes of one value
    if dataset.nbytes > max(_MAX_RATIO * stored, _ALWAYS_READ) or dataset.external:
        raise ModelError(f"{path}: '{group.name}/{name}' claims {dataset.nbytes} bytes", fault="C01")
    return np.array(dataset[()], dtype=np.float32)


def _diffs(file: Any, layer: str, path: Path) -> dict[int, Array]:
    if "diff" not in file or layer not in file["diff"]:
        return {}
    return _numbered(_group(_group(file, "diff", path), layer, path), path)


def _integer(file: Any, name: str, path: Path) -> int:
    dataset = file.get(name)
    if not _is_dataset(dataset) or dataset.dtype.kind not in "iu" or dataset.size != 1:
        raise ModelError(f"{path} has no integer '{name}'", hint="is this a solver state?", fault="C01")
    return int(np.ravel(dataset[()])[0])


def _holds(blob: caffe_pb2.BlobProto) -> bool:
    """Whether it is more than the place of a blob that another layer owns."""
    return shape_of(blob) != (0,)


def _has_blobs(model: caffe_pb2.NetParameter) -> bool:
    return any(layer.blobs for layer in model.layer)

"""Caffe's HDF5 files: /data/LAYER/0, 1, … for models; iter, learned_net, current_step, history/0, 1, … for states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workflow.errors import ModelError
from workflow.formats import caffe_pb2
from workflow.formats.blobproto import Array, diff_to_array, from_array, to_array
from workflow.storage import replacing

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MAX_AXES = 32  # Caffe's blobs have no more


def is_hdf5(data: bytes) -> bool:
    """Whether a file that starts with these bytes is HDF5."""
    return data.startswith(SIGNATURE)


def read_net(path: Path) -> caffe_pb2.NetParameter:
    """Layers with a name and blobs, in the file's order (alphabetical).

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
            for index, array in enumerate(arrays):
                layer.blobs.append(from_array(array, diff=diff.get(index)))
    return net


def write_net(path: Path, model: caffe_pb2.NetParameter) -> None:
    """A group for every layer; a shared parameter is stored by its first owner alone.

    Gradients go to /diff where every blob has one (`snapshot_diff`).

    Raises:
        ModelError: a layer's name with a '/', or twice: HDF5 has no such names.
    """
    owned: set[str] = set()
    has_diff = all(len(blob.diff) or len(blob.double_diff) for layer in model.layer for blob in layer.blobs)
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
            raise ModelError(f"{path} holds weights, not solver state", hint="take the .solverstate.h5", fault="C03")
        iteration = _integer(file, "iter", path)
        step = _integer(file, "current_step", path) if "current_step" in file else 0
        learned = file.get("learned_net")
        text = learned[()] if _is_dataset(learned) and learned.shape == () else b""
        history = _numbered(_group(file, "history", path), path) if "history" in file else []
        return iteration, text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text), step, history


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
    """h5py's file; whatever h5py says about damage becomes a ModelError."""
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
        raise ModelError(f"{path} is damaged or no Caffe file: {reason}", fault="C01") from error


def _group(parent: Any, name: str, path: Path) -> h5py.Group:
    import h5py

    # Only what lies in this very file: soft and external links could name any other.
    if name not in parent or not isinstance(parent.get(name, getlink=True), h5py.HardLink):
        raise ModelError(f"{path} has no group '{name}'", hint="is this Caffe's file?", fault="C01")
    group = parent[name]
    if not isinstance(group, h5py.Group):
        raise ModelError(f"{path}: '{name}' is no group", fault="C01")
    return group


def _is_dataset(thing: Any) -> bool:
    import h5py

    return isinstance(thing, h5py.Dataset)


def _numbered(group: h5py.Group, path: Path) -> list[Array]:
    """Datasets 0, 1, … of a group; a gap ends the list."""
    arrays: list[Array] = []
    while (name := str(len(arrays))) in group:
        arrays.append(_array(group, name, path))
    return arrays


def _array(group: Any, name: str, path: Path) -> Array:
    import h5py

    dataset: Any = group[name] if isinstance(group.get(name, getlink=True), h5py.HardLink) else None
    if not _is_dataset(dataset) or dataset.dtype.kind != "f" or dataset.ndim > _MAX_AXES:
        raise ModelError(f"{path}: '{group.name}/{name}' is no array of floats", fault="C01")
    if dataset.nbytes > 2**34 or dataset.external:
        raise ModelError(f"{path}: '{group.name}/{name}' claims {dataset.nbytes} bytes", fault="C01")
    return np.array(dataset[()], dtype=np.float32)


def _diffs(file: Any, layer: str, path: Path) -> dict[int, Array]:
    if "diff" not in file or layer not in file["diff"]:
        return {}
    return dict(enumerate(_numbered(_group(_group(file, "diff", path), layer, path), path)))


def _integer(file: Any, name: str, path: Path) -> int:
    dataset = file.get(name)
    if not _is_dataset(dataset) or dataset.dtype.kind not in "iu" or dataset.size != 1:
        raise ModelError(f"{path} has no integer '{name}'", hint="is this a solver state?", fault="C01")
    return int(np.ravel(dataset[()])[0])


def _has_blobs(model: caffe_pb2.NetParameter) -> bool:
    return any(layer.blobs for layer in model.layer)

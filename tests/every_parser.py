"""Every reader of a file format, with a valid file for each: tests damage it at random, scripts/fuzz on purpose."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from workflow.errors import PrototxtError, WorkflowError
from workflow.formats import (
    binaryproto,
    caffe_pb2,
    caffemodel,
    datum,
    labels,
    lmdb,
    numpy_mean,
    prototxt,
    solverstate,
    yaml,
)

NET = b"""name: "n" input: "data" input_dim: [1, 3, 4, 5]
layer { name: 'c\\n' type: "Convolution" bottom: "data" top: "c" include { phase: TRAIN }
  convolution_param < num_output: 010 weight_filler: { std: 1e-2 } > } # end
"""
V1_NET = b"""layers { layer { name: "p" type: "padding" pad: 1 } bottom: "a" top: "p" }
layers { layer { name: "c" type: "conv" kernelsize: 3 blobs_lr: 1 } bottom: "p" top: "c" }"""
SOLVER = b'net: "n.prototxt"\nbase_lr: 0.01 lr_policy: "step" stepsize: 10\nsolver_type: ADAM stepvalue: [1, 2]'
YAML = b"""images: [a, "b"]  # x
classes: [cat, dog]
train: {engine: torch, rate: 1e-3}
text: |
  two
  lines
"""


def read_prototxt(reader: Callable[[Path], object], path: Path) -> None:
    try:
        reader(path)
    except PrototxtError as error:
        if (error.at is None or not error.at.line or not error.at.column) and "git-lfs" not in error.message:
            raise AssertionError(f"no line and column: {error}") from error
        raise


def read_database(path: Path) -> None:
    folder = path.parent / "database"
    folder.mkdir(exist_ok=True)
    (folder / "data.mdb").write_bytes(path.read_bytes())
    with lmdb.Reader(folder) as reader:
        for position in range(len(reader)):
            reader.read(position)


READERS: dict[str, Callable[[Path], object]] = {
    "net": lambda path: read_prototxt(prototxt.read_net, path),
    "old net": lambda path: read_prototxt(prototxt.read_net, path),
    "solver": lambda path: read_prototxt(prototxt.read_solver, path),
    "caffemodel": caffemodel.read,
    "caffemodel.h5": caffemodel.read,
    "solverstate": solverstate.read,
    "solverstate.h5": solverstate.read,
    "mean": binaryproto.read_mean,
    "mean.npy": numpy_mean.read_any_mean,
    "mean.npz": numpy_mean.read_any_mean,
    "datum": lambda path: datum.decode(path.read_bytes()),
    "datum with a PNG": lambda path: datum.decode(path.read_bytes()),
    "datum with a JPEG": lambda path: datum.decode(path.read_bytes()),
    "batch": lambda path: datum.decode_all([datum.encode(np.ones((3, 4, 5), np.uint8), 7), path.read_bytes()]),
    "lmdb": read_database,
    "labels": labels.read,
    "yaml": yaml.read,
}


def picture(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10), (200, 3, 4)).save(buffer, kind)
    return caffe_pb2.Datum(data=buffer.getvalue(), label=3, encoded=True).SerializeToString()


def valid_files(folder: Path) -> dict[str, bytes]:
    """One valid file for each reader; `folder` is empty and is written to."""
    model = caffe_pb2.NetParameter()
    blob = model.layer.add(name="ip", type="InnerProduct").blobs.add(data=range(6))
    blob.shape.dim.extend([2, 3])
    state = solverstate.State(iteration=3, learned_net="x", history=(np.ones((2, 3), np.float32),))
    caffemodel.write_hdf5(folder / "caffemodel.h5", model)
    solverstate.write(folder / "solverstate", state)
    solverstate.write_hdf5(folder / "solverstate.h5", state)
    binaryproto.write_mean(folder / "mean", np.ones((3, 4, 5)))
    np.save(folder / "mean.npy", np.ones((3, 4, 5)))
    np.savez_compressed(folder / "mean.npz", np.ones((3, 4, 5)))
    with lmdb.Writer(folder / "db") as writer:
        for index in range(40):
            writer.put(b"%04d" % index, b"x" * (5000 if index % 7 == 0 else 90))
    raw = datum.encode(np.ones((3, 4, 5), np.uint8), 7)
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return files | {
        "net": NET,
        "old net": V1_NET,
        "solver": SOLVER,
        "caffemodel": model.SerializeToString(),
        "datum": raw,
        "batch": raw,
        "datum with a PNG": picture("PNG"),
        "datum with a JPEG": picture("JPEG"),
        "lmdb": (folder / "db" / "data.mdb").read_bytes(),
        "labels": b"cat\ndog\n",
        "yaml": YAML,
    }


def attempt(reader: Callable[[Path], object], path: Path, data: bytes) -> bool:
    """Whether the reader takes a file of these bytes; anything but one of our errors comes out."""
    path.write_bytes(data)
    logging.disable(logging.CRITICAL)  # warnings about odd files are right, and many
    try:
        reader(path)
    except WorkflowError as error:
        return not str(error)
    finally:
        logging.disable(logging.NOTSET)
    return True

"""Upgrade a file to Caffe 1.0's format: the counterpart of Caffe's three upgrade tools."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

from workflow.errors import PrototxtError, UsageError
from workflow.formats import caffe_pb2, caffemodel, hdf5, prototxt
from workflow.formats.files import read_whole
from workflow.formats.text import decode
from workflow.storage import atomic_write

_log = logging.getLogger("workflow")

Kind = Literal["net", "solver", "weights"]


def upgrade_file(source: Path, out: Path) -> Kind:
    """Read `source` as every command reads it, and write `out` as a whole.

    What is old is reported as a warning when a net or a solver is read (X08); so is a prototxt that is up to date.

    Args:
        source: a net's or a solver's prototxt, or a caffemodel, told apart by name and content.
        out: may be `source` itself.

    Raises:
        UsageError: `out` is of another kind than `source`.
        PrototxtError, ModelError: it is none of the three.
    """
    binary = _is_binary(source)
    if out.suffix in (_TEXT if binary else _WEIGHTS):
        endings = _WEIGHTS if binary else _TEXT
        raise UsageError(f"cannot write {source} as '{out.name}'", hint=f"name a file that ends in {endings[0]}")
    if binary:
        model = caffemodel.read(source)
        out.parent.mkdir(parents=True, exist_ok=True)
        (caffemodel.write_hdf5 if out.suffix == ".h5" else caffemodel.write)(out, model)
        return "weights"
    kind, message = _read_text(source)
    out.parent.mkdir(parents=True, exist_ok=True)
    text = decode(source.read_bytes(), source, error=PrototxtError)
    if message == prototxt.parse(text, type(message), source=source):
        _log.warning("%s is already in the current format; copied unchanged", source)
        atomic_write(out, source.read_bytes())  # with its comments
    else:
        prototxt.write(out, message)
    return kind


_WEIGHTS = (".caffemodel", ".h5", ".binary")
_TEXT = (".prototxt", ".txt", ".pt")


def _is_binary(source: Path) -> bool:
    """By the name, else by the content: old snapshots are called `cifar10_quick_iter_5000`."""
    if source.suffix in (*_WEIGHTS, *_TEXT):
        return source.suffix in _WEIGHTS
    data = read_whole(source, error=PrototxtError)
    return not data.isascii() and (b"\x00" in data or hdf5.is_hdf5(data))


def _read_text(source: Path) -> tuple[Kind, caffe_pb2.SolverParameter | caffe_pb2.NetParameter]:
    try:
        return "solver", prototxt.read_solver(source)
    except PrototxtError as no_solver:
        try:
            return "net", prototxt.read_net(source)
        except PrototxtError as no_net:
            # of a text that is neither, report the error that comes later in the text
            raise no_solver if _place(no_solver) > _place(no_net) else no_net from None


def _place(error: PrototxtError) -> tuple[int, int]:
    return (error.at.line, error.at.column) if error.at is not None else (0, 0)

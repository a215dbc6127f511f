"""Recognise files of another kind than expected by their content, without opening them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError, Message

from workflow.errors import ModelError
from workflow.formats import caffe_pb2

# protocol numbers 2 to 5 follow the opcode; a protobuf message never starts with an unfinished group 16
_PICKLE = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
_PICKLE_SUFFIXES = (".pt", ".pth", ".pkl", ".pickle", ".joblib", ".ckpt")

_BEGINNINGS = {
    b"\x93NUMPY": "a numpy array",
    b"MATLAB 5.0 MAT-file": "a MATLAB file",
    b"MATLAB 7.3 MAT-file": "a MATLAB file",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"\x89PNG\r\n\x1a\n": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ\x00": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
}
_LMDB = (0xBEEFC0DE).to_bytes(4, "little")
_TEXT = (b"name:", b"layer", b"input")


def refuse_foreign(path: Path, data: bytes, *, hint: str, fault: str = "C01") -> None:
    """Say what the file is when it is surely no protobuf message.

    Args:
        path: the file.
        data: its bytes.
        hint: what to give instead.
        fault: row of the catalogue of faults for anything but a pickle.

    Raises:
        ModelError: C04 a pickle or a zip archive (which is what torch.save writes); else text, or any other kind.
    """
    kind = _pickle(path, data)
    if kind:
        raise ModelError(f"{path} is {kind}, which wf does not open (a pickle can run code)", hint=hint, fault="C04")
    kind = kind_of(data)
    if kind:
        raise ModelError(f"{path} is {kind}", hint=hint, fault=fault)


def kind_of(data: bytes) -> str:
    """The kind of a file by its first bytes, such as `a numpy array`; empty if it may be a protobuf message."""
    for beginning, kind in _BEGINNINGS.items():
        if data.startswith(beginning):
            return kind
    if data[16:20] == _LMDB or data[24:28] == _LMDB:
        return "a file of an LMDB"
    if data[257:262] == b"ustar":
        return "a tar archive"
    if data[:1] in (b"<", b"#") or data.lstrip()[:5] in _TEXT:
        return "text, not a binary file"
    return "a numpy archive" if is_npz(data) else ""


def refuse_message(path: Path, data: bytes, wanted: type[Message], *, hint: str, fault: str = "C01") -> None:
    """Say what the file is when it is another of Caffe's binary files than the wanted one.

    Protobuf reads any message as any other, so that what counts is the content.

    Raises:
        ModelError: it is one of these files.
    """
    for kind, (content, has_it) in _CONTENTS.items():
        try:
            found = has_it(kind.FromString(data))
        except DecodeError:
            continue
        if found and kind is not wanted:
            raise ModelError(f"{path} holds {content}, not {_CONTENTS[wanted][0]}", hint=hint, fault=fault)
        if found:
            return


_CONTENTS: dict[type[Message], tuple[str, Callable[[Any], bool]]] = {
    caffe_pb2.SolverState: (
        "solver state",
        lambda state: state.HasField("iter") and (bool(state.history) or state.HasField("learned_net")),
    ),
    caffe_pb2.NetParameter: ("weights", lambda net: bool(net.layer or net.layers)),
    caffe_pb2.BlobProto: ("an array such as a mean", lambda blob: bool(blob.data or blob.double_data)),
    caffe_pb2.Datum: ("a record of a database", lambda record: bool(record.data or record.float_data)),
}


def _pickle(path: Path, data: bytes) -> str:
    if data.startswith(b"PK\x03\x04") and not is_npz(data):
        return "a zip archive or a PyTorch pickle"
    if data.startswith(_PICKLE):
        return "a Python pickle"
    if path.suffix.lower() in _PICKLE_SUFFIXES:
        return f"a '{path.suffix}' file, most likely a Python pickle"
    return ""


def is_npz(data: bytes) -> bool:
    """Whether it is a zip archive with only .npy files, as numpy.savez writes it."""
    if not data.startswith(b"PK\x03\x04"):
        return False
    try:
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return False
    return bool(names) and all(name.endswith(".npy") for name in names)

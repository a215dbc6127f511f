"""Model files of other frameworks, recognised by their first bytes and never opened."""

from __future__ import annotations

from pathlib import Path

from workflow.errors import ModelError

_HINT = "export it as Caffe's .caffemodel where it was made"
# protocol numbers 2 to 5 follow the opcode; a protobuf message never starts with an unfinished group 16
_PICKLE = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
_SUFFIXES = (".pt", ".pth", ".pkl", ".pickle", ".joblib", ".ckpt")


def refuse_foreign(path: Path, data: bytes) -> None:
    """Say what the file is when it is surely no protobuf of Caffe's.

    Raises:
        ModelError: C04 a pickle or a zip (which is what torch.save writes); C01 text.
    """
    kind = _kind(path, data)
    if kind:
        raise ModelError(f"{path} is {kind}; wf reads .caffemodel only (pickles can run code)", hint=_HINT, fault="C04")
    if data[:1] in (b"<", b"#") or data.lstrip()[:5] in (b"name:", b"layer", b"input"):
        raise ModelError(f"{path} is text, not a binary model", hint="weights are in a .caffemodel", fault="C01")


def _kind(path: Path, data: bytes) -> str:
    if data.startswith(b"PK\x03\x04"):
        return "a zip archive or a PyTorch pickle"
    if data.startswith(_PICKLE):
        return "a Python pickle"
    if path.suffix.lower() in _SUFFIXES:
        return f"a '{path.suffix}' file, most likely a Python pickle"
    return ""

"""Golden files: recordings of a layer type in one npz, with their origin.

`about` is a JSON text: the origin, and for each net the prototxt, its files (Base64) and the shapes of its arrays;
`values` holds the float32 numbers of all arrays behind each other, in that order. (An entry of its own for each array
would take more room than its numbers.)
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from conformance.recording import Recording

GOLDEN = Path(__file__).parents[1] / "golden" / "layers"
SEED = 2
"""Of the generators, other than that of scripts/conformance."""


def read(path: Path) -> tuple[dict[str, Recording], dict[str, str]]:
    """Net name -> its recording; and `by` whom and by which `command` they were recorded."""
    with np.load(path) as file:
        about, values = json.loads(str(file["about"])), file["values"]
    nets: dict[str, Recording] = {}
    start = 0
    for name, net in about["nets"].items():
        one = {"net": np.array(net["net"])}
        one |= {f"file/{file}": np.frombuffer(base64.b64decode(text), np.uint8) for file, text in net["files"].items()}
        for key, shape in net["arrays"].items():
            count = math.prod(shape)
            one[key] = values[start : start + count].reshape(shape).copy()
            start += count
        nets[name] = one
    return nets, about["origin"]


def write(path: Path, recordings: Mapping[str, Recording], origin: Mapping[str, str]) -> int:
    """Write a file; returns its size in bytes."""
    about: dict[str, Any] = {"origin": dict(origin), "nets": {}}
    values = []
    for name, recording in recordings.items():
        arrays = {key: array for key, array in recording.items() if key != "net" and not key.startswith("file/")}
        values += [array.astype(np.float32).ravel() for array in arrays.values()]
        about["nets"][name] = {
            "net": str(recording["net"]),
            "files": {
                key[len("file/") :]: base64.b64encode(array.tobytes()).decode()
                for key, array in recording.items()
                if key.startswith("file/")
            },
            "arrays": {key: array.shape for key, array in arrays.items()},
        }
    flat = np.concatenate(values) if values else np.zeros(0, np.float32)
    np.savez_compressed(path, about=np.array(json.dumps(about)), values=flat)
    return path.stat().st_size


def write_what_fits(path: Path, recordings: Mapping[str, Recording], origin: Mapping[str, str], most: int) -> int:
    """Write as many of the recordings, in their order, as `most` bytes hold; returns how many."""
    kept: dict[str, Recording] = {}
    for name, recording in recordings.items():
        if write(path, kept | {name: recording}, origin) <= most:
            kept[name] = recording
    write(path, kept, origin)
    return len(kept)

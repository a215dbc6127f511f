"""The Data layer, on small databases written for each net."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from conformance.case import Case, Rng, generator, maybe
from conformance.data_layers import subtraction

from workflow.formats import datum
from workflow.formats.caffe_pb2 import Datum
from workflow.formats.lmdb import Writer


def _record(rng: Rng, channels: int, height: int, width: int, *, floats: bool) -> bytes:
    label = int(rng.integers(0, 9))
    if not floats:
        return datum.encode(rng.integers(0, 256, size=(channels, height, width), dtype=np.uint8), label)
    values = rng.normal(size=channels * height * width)
    return Datum(channels=channels, height=height, width=width, float_data=values, label=label).SerializeToString()


@generator("Data")
def data(rng: Rng) -> Case:
    """Fewer records than the passes read, under keys whose bytes are ordered otherwise than their numbers."""
    channels = int(rng.integers(1, 5))
    height, width = (int(side) for side in rng.choice(np.arange(4, 10), size=2, replace=False))
    floats = bool(rng.integers(4) == 0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "db"
        with Writer(folder) as writer:
            for number in range(7, 7 + int(rng.integers(2, 8))):
                writer.put(str(number).encode(), _record(rng, channels, height, width, floats=floats))
        files = {"db/data.mdb": (folder / "data.mdb").read_bytes()}
    text, mean = subtraction(rng, channels, height, width)
    # a picture's middle is cut out in TEST phase; in TRAIN phase the place is random
    crop = maybe(rng, f"crop_size: {rng.integers(2, 5)}")
    param = f'phase: TEST data_param {{ source: "db" backend: LMDB batch_size: {rng.integers(1, 6)} }}'
    transform = f"transform_param {{ scale: {rng.uniform(0.1, 2):.3f} {crop} {text} }}"
    tops = int(rng.integers(1, 3))
    return Case(layer=f"{param} {transform}", tops=tops, backward=False, forwards=3, files=files | mean)

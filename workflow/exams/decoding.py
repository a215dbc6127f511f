"""Decode picture files for a network, on all cores and in the order asked for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.cluster.receipt import in_order
from workflow.data.decode_all import decode_all, workers_for
from workflow.data.decoding import CHANGED, Refusal
from workflow.formats.files import missing
from workflow.models.model import Model


def decoded(model: Model, files: Sequence[str]) -> Iterator[tuple[int, str, NDArray[np.uint8] | str]]:
    """Place, sha256 and pixels of each file in order; the reason in place of the pixels if it cannot be read."""

    def paths(start: int, stop: int) -> list[bytes]:
        return [os.fsencode(name) for name in files[start:stop]]

    with tempfile.TemporaryDirectory(prefix="wf-exam-") as name:
        results = decode_all(
            len(files),
            paths,
            workers=workers_for(len(files), paths, None),
            folder=Path(name),
            preprocessing=model.preprocessing,
            max_pixels=model.max_pixels,
        )
        for result in in_order(results):
            refused = {refusal.place: refusal for refusal in result.refusals}
            digests = result.digests.tobytes().hex()
            pixels = result.pixels(model.preprocessing.shape)
            result.path.unlink()
            row = 0
            for place in range(result.stop - result.start):
                index = result.start + place
                if place in refused:
                    yield index, "", _reason(files[index], refused[place])
                else:
                    yield index, digests[64 * row : 64 * (row + 1)], pixels[row]
                    row += 1


def _reason(path: str, refusal: Refusal) -> str:
    if refusal.what == CHANGED and not os.path.exists(path):  # noqa: PTH110
        return f"cannot be read: {missing(Path(path))[0]}"
    return refusal.reason

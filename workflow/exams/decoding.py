"""Decode picture files for a network, on all cores and in the order asked for."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.data.pool import Result, crew_for, decode_all, spool_path
from workflow.data.worker import CHANGED, Refusal
from workflow.formats.files import missing
from workflow.models.model import Model


def decoded(model: Model, files: Sequence[str]) -> Iterator[tuple[int, str, NDArray[np.uint8] | str]]:
    """Place, sha256 and pixels of each file in order; the reason in place of the pixels if it cannot be read."""

    def paths(start: int, stop: int) -> list[bytes]:
        return [os.fsencode(name) for name in files[start:stop]]

    shape = model.preprocessing.shape
    each = int(np.prod(shape))
    with tempfile.TemporaryDirectory(prefix="wf-exam-") as name:
        folder = Path(name)
        results = decode_all(
            len(files),
            paths,
            crew=crew_for(len(files), paths, None),
            folder=folder,
            preprocessing=model.preprocessing,
            max_pixels=model.max_pixels,
        )
        for result, offset in _in_order(results):
            refused = {refusal.place: refusal for refusal in result.answer.refusals}
            digests = result.answer.digests.hex()
            count = result.stop - result.start - len(refused)
            pixels = np.fromfile(
                spool_path(folder, result.spool), np.uint8, count=each * count, offset=each * offset
            ).reshape(count, *shape)
            row = 0
            for place in range(result.stop - result.start):
                index = result.start + place
                if place in refused:
                    yield index, "", _reason(files[index], refused[place])
                else:
                    yield index, digests[64 * row : 64 * (row + 1)], pixels[row]
                    row += 1


def _in_order(results: Iterator[Result]) -> Iterator[tuple[Result, int]]:
    """Results by their files, each with the place of its first picture in its spool."""
    early: dict[int, tuple[Result, int]] = {}
    written: Counter[int] = Counter()  # pictures in each spool so far
    following = 0
    for result in results:
        early[result.start] = result, written[result.spool]
        written[result.spool] += result.stop - result.start - len(result.answer.refusals)
        while following in early:
            yield (held := early.pop(following))
            following = held[0].stop


def _reason(path: str, refusal: Refusal) -> str:
    if refusal.what == CHANGED and not os.path.exists(path):  # noqa: PTH110
        return f"cannot be read: {missing(Path(path))[0]}"
    return refusal.reason

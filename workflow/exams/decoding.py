"""Decode picture files for a network, on all cores and in the order asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workflow.cluster.receipt import in_order
from workflow.data.decode_all import decode_all, workers_for
from workflow.exams.picture import PART, Picture
from workflow.models.model import Model

if TYPE_CHECKING:
    from workflow.exams.files import Files


def decoded(model: Model, exam: Files) -> Iterator[tuple[list[Picture], NDArray[np.uint8]]]:
    """The pictures of each part of an exam and their pixels, uint8 (N, C, H, W), parts without any left out."""
    waiting: list[Picture] = []
    with tempfile.TemporaryDirectory(prefix="wf-exam-") as name:
        results = decode_all(
            exam.count,
            exam.items,
            workers=workers_for(exam.count, exam.items, None),
            folder=Path(name),
            preprocessing=model.preprocessing,
            max_pixels=model.max_pixels,
            edges=PART,
        )
        parts: list[NDArray[np.uint8]] = []
        for result in in_order(results):
            pixels = result.pixels(model.preprocessing.shape)
            result.path.unlink()
            pictures, kept = exam.sorted_out(result.start, result.stop, result.refusals, result.digests)
            waiting += pictures
            parts.append(pixels[kept])
            if (result.stop % PART == 0 or result.stop == exam.count) and waiting:
                yield waiting, np.concatenate(parts)
                waiting, parts = [], []

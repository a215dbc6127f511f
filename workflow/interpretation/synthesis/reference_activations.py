"""The values of a target for natural pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from workflow.engines.base import Array
from workflow.exams.exam import Exam
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.targets import Target

PICTURES = 2000
"""The most pictures that are used: a percentile needs no more."""
_BATCH = 200

Progress = Callable[[int, int], None]


def activations(
    net: Differentiable, targets: Sequence[Target], exam: Exam, *, progress: Progress | None = None
) -> Array:
    """Each target's value for the first 2,000 pictures of an exam; a data set's order is random.

    Args:
        net: the net.
        targets: of one blob.
        exam: the pictures.
        progress: called with (done, all).

    Returns:
        float32 (pictures, targets).
    """
    rows, seen = [], 0
    most = min(exam.count, PICTURES)
    for pictures, pixels in exam.batches(net.model, _BATCH):
        with torch.no_grad():
            blob = net.run(net.blob(pixels), until=(targets[0].blob,)).blobs[targets[0].blob]
        rows.append(np.stack([target.pick(blob).numpy() for target in targets], axis=1))
        seen += len(pictures)
        if progress is not None:
            progress(min(seen, most), most)
        if seen >= most:
            break
    return np.concatenate(rows)[:most]


def percentile(value: float, natural: Array) -> float:
    """The percentile of a value among the natural values: 100 where none is greater."""
    return 100.0 * float((natural <= value).mean())

"""Pictures of an exam that the snapshot was trained on: results on them prove little (E02)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workflow.data import manifest
from workflow.exams.picture import Picture
from workflow.generations import Generation


def trained_on(generation: Generation, pictures: Sequence[Picture]) -> NDArray[np.bool_]:
    """Which pictures have the bytes of one in the generation's training set, (N,).

    Raises:
        DataError: the manifest is missing or damaged.
    """
    asked = {one.sha256 for one in pictures}
    known = {one.sha256 for one in manifest.read(generation, "train") if one.sha256 in asked}
    return np.array([one.sha256 in known for one in pictures], np.bool_)

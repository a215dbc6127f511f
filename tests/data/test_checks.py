"""Estimates and words of the checks; the checks themselves are met in test_prepare."""

from __future__ import annotations

import numpy as np
import pytest

from workflow.config import Config, Preprocessing
from workflow.data.checks import counted, kinds, need
from workflow.data.found import Skipped
from workflow.formats import datum
from workflow.formats.lmdb import Writer


@pytest.mark.parametrize(
    ("width", "height", "order"), [(5, 7, "RGB"), (28, 28, "GRAY"), (32, 32, "RGB"), (80, 60, "BGR")]
)
def test_p32_the_estimate_covers_what_is_written_and_not_much_more(tmp_path, width, height, order):
    preprocessing = Preprocessing(width=width, height=height, channel_order=order)
    pixels = np.zeros(preprocessing.shape, np.uint8)
    with Writer(tmp_path / "lmdb") as writer:
        for index in range(2000):
            writer.put(b"%08d_train/airplane/%04d.jpg" % (index, index), datum.encode(pixels, 3))
    written = (tmp_path / "lmdb" / "data.mdb").stat().st_size + 2000 * pixels.size  # and the spool
    estimate = need(Config(preprocessing=preprocessing), 2000)
    assert written < estimate < 2 * written + 5_000_000


def test_words():
    assert counted(1, "file") == "1 file"
    assert counted(0, "file") == "0 files"
    skipped = [Skipped(path="", reason="", kind=kind) for kind in ("empty", "truncated", "empty")]
    assert kinds(skipped) == "2 empty, 1 truncated"

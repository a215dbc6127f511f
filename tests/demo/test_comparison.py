"""Several inspections in one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from workflow.demo.comparison import compare
from workflow.interpretation.activations.inspect import Inspection


def test_a_row_for_each_image_and_a_column_for_each_blob(tmp_path: Path) -> None:
    Image.new("RGB", (20, 10), (200, 0, 0)).save(tmp_path / "image.png")
    Image.new("L", (400, 400), 60).save(tmp_path / "grid.png")
    one = Inspection(
        image=tmp_path / "image.png",
        snapshot="gen1/iter_2",
        blobs={"data": (1, 3, 32, 32), "conv1": (1, 32, 32, 32)},
        probabilities={"a": 0.25, "b": 0.75},
        label="b",
        pictures={"conv1": tmp_path / "grid.png"},
        not_drawn=(),
        class_map=None,
    )
    compare([one, one, one], tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as picture:
        pixels = np.asarray(picture)
    red = (pixels == (200, 0, 0)).all(axis=2)
    grey = (pixels == 60).all(axis=2)
    assert red.sum() == grey.sum() == 3 * 240 * 240
    assert np.nonzero(red)[1].max() < np.nonzero(grey)[1].min()

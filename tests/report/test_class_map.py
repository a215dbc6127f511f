from __future__ import annotations

import numpy as np
from PIL import Image

from workflow.interpretation.activations.class_map import ClassMap
from workflow.report.class_map import draw_class_map


def test_a_colour_for_each_place(tmp_path):
    """Two halves of sure classes: two colours, each over a large area; names of any length or sign."""
    best = np.repeat([[0, 1]], 4, axis=0).repeat(2, axis=1)
    found = ClassMap(blob="prob", best=best, probability=np.ones((4, 4), "f"), shares={"a$b$": 0.5, "x" * 90: 0.5})
    draw_class_map(found, np.zeros((4, 4, 3), np.uint8), tmp_path / "deep" / "map.png", title="a$b.png")
    with Image.open(tmp_path / "deep" / "map.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    colours, counts = np.unique(pixels, axis=0, return_counts=True)
    assert {(31, 119, 180), (255, 127, 14)} <= {tuple(one) for one in colours[counts > 5000].tolist()}


def test_more_classes_than_colours(tmp_path):
    best = np.arange(16).reshape(4, 4)
    shares = {f"class {number}": 1 / 16 for number in range(16)}
    found = ClassMap(blob="prob", best=best, probability=np.full((4, 4), 0.4, "f"), shares=shares)
    draw_class_map(found, np.zeros((4, 4, 3), np.uint8), tmp_path / "map.png", title="x")
    assert (tmp_path / "map.png").stat().st_size > 5000

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workflow.evaluation.acceptance import point
from workflow.evaluation.junk import Junk, Score
from workflow.report.junk import draw_junk


def score(number: int, each: np.ndarray, names: tuple[str, ...], own: np.ndarray, *, kept: float | None) -> Score:
    scores = each.max(1)
    return Score(
        generation=f"gen{number}",
        snapshot=f"gen{number}/iter_20",
        positives=names,
        each=each,
        own=own,
        now=point(scores, own, 0.5),
        kept=None if kept is None else point(scores, own, kept),
    )


def junk(scores: list[Score]) -> Junk:
    return Junk(
        folder=Path("junk"),
        target=Path("out"),
        count=len(scores[0].each),
        trained_on=0,
        left_out=0,
        max_rate=0.01,
        scores=tuple(scores),
        kinds={},
        absurdities=(),
        skipped=(),
    )


@pytest.mark.parametrize(
    ("names", "generations", "kept", "own"),
    [
        (("$5 or $6",), 1, 0.9, 5),
        (("cat", "dog", "a class whose name is far too long for a legend"), 6, None, 0),
        (tuple("abcdefghijklmn"), 3, 0.99995, 300),
    ],
)
def test_curves(tmp_path, names, generations, kept, own):
    rng = np.random.default_rng(1)
    each = rng.uniform(size=(40, len(names))) ** 3
    each[:2] = 1
    scores = [
        score(number, each**number, names, rng.uniform(size=own) ** 0.1, kept=kept)
        for number in range(1, generations + 1)
    ]
    out = tmp_path / "deep" / "junk.png"
    draw_junk(junk(scores), out)
    with Image.open(out) as picture:
        assert (picture.format, picture.width) == ("PNG", 1500 if len(names) > 1 else 900)
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    dark_blue = (pixels[..., 2] - pixels[..., 0] > 80) & (pixels[..., 0] < 40)
    assert dark_blue.sum() > 300  # the newest generation's curve
    green = (pixels[..., 1] - pixels[..., 0] > 60) & (pixels[..., 1] - pixels[..., 2] > 30)
    assert (green[:, :600].sum() > 100) == bool(own)


def test_a_curve_falls_where_the_scores_are(tmp_path):
    """All junk at 0.9: the curve is at 100 % left of it and at 0 right of it."""
    one = score(1, np.full((20, 1), 0.9), ("cat",), np.array([]), kept=None)
    draw_junk(junk([one]), tmp_path / "junk.png")
    with Image.open(tmp_path / "junk.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    dark_blue = (pixels[..., 2] - pixels[..., 0] > 80) & (pixels[..., 0] < 40)
    columns = np.flatnonzero(dark_blue[:, :700].any(0))
    heights = {int(column): int(np.flatnonzero(dark_blue[:, column]).mean()) for column in columns}
    left, right = heights[columns[0] + 5], heights[columns[-1] - 5]
    assert right - left > 300  # rows count downwards
    falls = [column for column in columns if dark_blue[:, column].sum() > 200]
    assert abs((falls[0] - columns[0]) / (columns[-1] - columns[0]) - 1 / 5) < 0.02  # 0.9 is the first of five nines

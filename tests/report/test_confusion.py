"""confusion.png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workflow.report.confusion import draw_confusion


def drawn(matrix: np.ndarray, classes: list[str], out: Path) -> np.ndarray:
    draw_confusion(matrix, classes, out, title="gen1/iter_20 on gen1 test")
    with Image.open(out) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


@pytest.mark.parametrize("count", [1, 2, 10, 40])
def test_any_number_of_classes(tmp_path: Path, count: int) -> None:
    matrix = np.diag(np.arange(count) * 100 + 7)
    matrix[0, -1] += 3
    found = drawn(matrix, [f"class {index}" for index in range(count)], tmp_path / "new" / "confusion.png")
    height, width, _ = found.shape
    assert 500 <= width <= 2200
    assert 250 <= height <= 2200
    assert found.std() > 5
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["confusion.png"]


def test_right_is_blue_wrong_is_red_and_nothing_is_pale(tmp_path: Path) -> None:
    found = drawn(np.array([[9, 1, 0], [0, 0, 0], [2, 0, 8]]), ["a", "b", "c"], tmp_path / "confusion.png")
    red, _, blue = found.transpose(2, 0, 1)
    bluish, reddish = blue - red > 60, red - blue > 40
    rows, columns = np.nonzero(bluish)
    assert bluish.sum() > 5000
    assert reddish.sum() > 5000
    upper, lower = rows[columns < columns.mean()], rows[columns > columns.mean()]
    assert upper.mean() < lower.mean()  # a down the diagonal: truth in rows
    wrong_rows, wrong_columns = np.nonzero(reddish)
    assert wrong_rows.min() < rows.mean() < wrong_rows.max()
    left = wrong_rows[wrong_columns < wrong_columns.mean()]
    assert left.mean() > rows.mean()  # c taken for a: below, on the left


def test_names_of_any_kind(tmp_path: Path) -> None:
    names = ["$x_1$", "$broken", "a" * 80, "two\nlines"]
    assert drawn(np.eye(4, dtype=int) * 12_345, names, tmp_path / "confusion.png").shape[1] < 1500

"""The drawn set: the same for the same seed, and varied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workflow.demo.drawing import CHARACTER, OTHER, SIZES, draw, picture


@pytest.mark.parametrize("label", [CHARACTER, OTHER])
def test_a_picture_is_a_function_of_label_number_and_seed(label: str) -> None:
    one = picture(label, 7)
    assert one.mode == "RGB"
    assert one.width == one.height
    assert one.width in SIZES
    assert one.tobytes() == picture(label, 7).tobytes()
    assert one.tobytes() != picture(label, 8).tobytes()
    assert one.tobytes() != picture(label, 7, seed=2).tobytes()


def test_the_set_is_varied() -> None:
    small = [np.asarray(picture(CHARACTER, number).resize((8, 8))) for number in range(40)]
    assert len({array.tobytes() for array in small}) == 40
    assert np.std(np.stack(small).astype(float), axis=0).min() > 15  # no corner is the same everywhere


def test_colour_alone_does_not_tell() -> None:
    """The mean colours of the two classes lie within each other's spread."""
    means = {
        label: np.array([np.asarray(picture(label, number)).mean(axis=(0, 1)) for number in range(60)])
        for label in (CHARACTER, OTHER)
    }
    gap = np.abs(means[CHARACTER].mean(axis=0) - means[OTHER].mean(axis=0))
    assert (gap < means[CHARACTER].std(axis=0) + means[OTHER].std(axis=0)).all()


def test_files_and_the_contact_sheet(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    sheet = draw(tmp_path / "images", count=10, progress=lambda done, total: told.append((done, total)))
    assert [len(list((tmp_path / "images" / label).glob("*.png"))) for label in (CHARACTER, OTHER)] == [5, 5]
    assert told[-1] == (10, 10)
    assert sheet == tmp_path / "images-sheet.png"
    with Image.open(sheet) as shown:
        assert shown.width > 700

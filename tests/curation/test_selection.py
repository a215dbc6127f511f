from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from three_generations import make_three, settings

from workflow.curation.selection import pick
from workflow.exams.picture import Picture
from workflow.models.loading import load
from workflow.models.model import Model


@pytest.fixture
def model(project) -> Model:
    make_three(project)
    return load(settings())


def draw(count: int) -> list[Picture]:
    """Pictures of noise, PILE/K.png."""
    rng = np.random.default_rng(6)
    Path("pile").mkdir()
    for index in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, size=(6, 6, 3), dtype=np.uint8))
        coarse.resize((64, 64), Image.Resampling.BICUBIC).save(f"pile/{index}.png")
    return [Picture(f"pile/{index}.png", str(index), None) for index in range(count)]


def test_each_class_has_its_share(model):
    pictures = draw(12)
    classes = np.array([0] * 8 + [1] * 4)
    chosen = pick(model, pictures, classes, range(12), 6)
    assert chosen.indices == (0, 1, 2, 8, 9, 10)
    assert chosen.twins == 0


def test_what_is_left_of_a_share_goes_to_the_next(model):
    pictures = draw(10)
    classes = np.array([0] * 9 + [1])
    assert pick(model, pictures, classes, range(10), 6).indices == (0, 1, 2, 3, 4, 9)
    assert pick(model, pictures, classes, range(10), 50).indices == tuple(range(10))
    assert pick(model, pictures, classes, [7, 3], 50).indices == (7, 3)
    assert pick(model, pictures, classes, [], 3).indices == ()


def test_twins_are_passed_over(model):
    pictures = draw(4)
    with Image.open("pile/0.png") as first:
        first.resize((128, 128)).save("pile/again.jpg", quality=95)
    pictures.append(Picture("pile/again.jpg", "again", None))
    chosen = pick(model, pictures, np.zeros(5, np.int64), [0, 4, 1, 2, 3], 5)
    assert chosen.indices == (0, 1, 2, 3)
    assert chosen.twins == 1
    assert pick(model, pictures, np.zeros(5, np.int64), [4, 0, 1], 2).indices == (4, 1)


def test_a_file_that_went_away(model):
    pictures = draw(3)
    Path("pile/1.png").unlink()
    Path("pile/2.png").write_bytes(b"")
    chosen = pick(model, pictures, np.zeros(3, np.int64), range(3), 3)
    assert (chosen.indices, chosen.twins) == ((0,), 0)

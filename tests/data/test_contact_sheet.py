"""The sheet of what a preparation made of the pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from PIL import Image

from workflow.config import Config, Preprocessing, rooted
from workflow.data import contact_sheet
from workflow.data.prepare import prepare
from workflow.generations import generation

LEFT = {"train": 10 + 170, "test": 10 + 170 + 8 * 68 + 20}


def opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.copy()


def tile(board: Image.Image, row: int, side: str, place: int) -> np.ndarray:
    """uint8 (64, 64, 3), the picture at a place of the sheet."""
    left, top = LEFT[side] + place * 68, 22 + row * 68
    return np.asarray(board.crop((left, top, left + 64, top + 64)))


def solid(folder: Path, colours: list[tuple[int, int, int]]) -> None:
    folder.mkdir(parents=True)
    for index, colour in enumerate(colours):
        Image.new("RGB", (8, 8), colour).save(folder / f"{index}.png")


@pytest.fixture
def images(tmp_path) -> Path:
    """Red and orange things, blue and cyan things; the test side has one of each class."""
    root = tmp_path / "images"
    solid(root / "train" / "red", [(200, 0, 0), (200, 100, 0), (250, 0, 0)])
    solid(root / "test" / "red", [(150, 0, 0), (120, 60, 0)])
    solid(root / "train" / "blue", [(0, 0, 200), (0, 150, 200)])
    solid(root / "test" / "blue", [(0, 0, 150)])
    return root


@pytest.mark.parametrize("order", ["RGB", "BGR", "GRAY"])
def test_rows_are_classes_and_colours_are_true(images, settings, tmp_path, order):
    config = structs.replace(settings(), preprocessing=Preprocessing(width=8, height=8, channel_order=order))
    result = prepare(config)
    path = generation(rooted(Config(), tmp_path), 1).dataset / "pictures.png"
    assert result.pictures == (path,)
    assert json.loads(json.dumps(result.to_json()))["pictures"] == [str(path)]
    board = opened(path)
    for row, (channel, train, test) in enumerate(((2, 2, 1), (0, 3, 2))):  # blue, red
        for side, count in (("train", train), ("test", test)):
            for place in range(4):
                found = tile(board, row, side, place)
                assert (found == 255).all() == (place >= count)
                if place < count and order != "GRAY":
                    assert found[0, 0].argmax() == channel
    assert board.height == 22 + 2 * 68 + 10


def test_a_tile_keeps_the_pixels_of_small_pictures_and_shrinks_large_ones():
    pixels = np.random.default_rng(1).integers(0, 256, (3, 7, 5), dtype=np.uint8)
    small = np.asarray(contact_sheet._tile(pixels, "RGB"))
    assert small.shape == (63, 45, 3)
    np.testing.assert_array_equal(small[::9, ::9].transpose(2, 0, 1), pixels)
    assert contact_sheet._tile(np.zeros((1, 300, 150), np.uint8), "GRAY").size == (32, 64)


def test_the_same_pictures_stay_on_the_sheet(tmp_path, settings, labelled):
    labelled(tmp_path / "images", cat=60, dog=60)
    prepare(settings())
    first = opened(generation(rooted(Config(), tmp_path), 1).pictures)
    labelled(tmp_path / "images", first=100, dog=3)
    prepare(settings())
    second = opened(generation(rooted(Config(), tmp_path), 2).pictures)
    for side, count in (("train", 8), ("test", 4)):
        for place in range(count):
            np.testing.assert_array_equal(tile(first, 0, side, place), tile(second, 0, side, place))


def test_many_classes_are_cut_and_long_names_too(tmp_path, settings, monkeypatch, labelled):
    monkeypatch.setattr(contact_sheet, "CLASSES", 2)
    labelled(tmp_path / "images", **{"a" * 80: 6, "b": 6, "c": 6, "d": 6})
    prepare(settings())
    board = opened(generation(rooted(Config(), tmp_path), 1).pictures)
    assert board.height == 22 + 2 * 68 + 10 + 17

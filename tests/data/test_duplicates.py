"""Equal bytes, and pictures that are nearly equal."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from workflow.config import Preprocessing
from workflow.data.duplicates import nearly_equal, same_bytes
from workflow.data.pictures import decode
from workflow.data.thumbnails import Thumbnails

SIZE = Preprocessing(width=32, height=32)


def test_equal_digests_are_grouped_in_order():
    rng = np.random.default_rng(1)
    digests = rng.integers(0, 256, (9, 32), dtype=np.uint8)
    digests[7] = digests[2] = digests[5]
    digests[8] = digests[1]
    digests[4, :8] = digests[3, :8]  # only the first 64 bits agree
    groups = sorted(group.tolist() for group in same_bytes(digests, np.arange(9)))
    assert groups == [[1, 8], [2, 5, 7]]
    assert [group.tolist() for group in same_bytes(digests, np.array([0, 2, 3, 4, 7, 8]))] == [[2, 7]]
    assert same_bytes(digests, np.arange(1)) == []


def photograph(seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((320, 240), Image.Resampling.BICUBIC)


def drawing(seed: int) -> Image.Image:
    """An arrow or two on white."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (300, 300), "white")
    pen = ImageDraw.Draw(image)
    for _ in range(3):
        pen.line(rng.integers(0, 300, 4).tolist(), fill="black", width=4)
    return image


def encoded(image: Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def groups(files: list[bytes]) -> list[list[int]]:
    pixels = np.stack([decode(file, SIZE) for file in files])
    thumbnails = Thumbnails(SIZE.shape)(pixels)
    return [group.tolist() for group in nearly_equal(thumbnails, np.arange(len(files)), pixels.__getitem__)]


@pytest.mark.parametrize("make", [photograph, drawing])
def test_p29_copies_are_found_and_others_are_not(make):
    files = [encoded(make(seed), 92) for seed in range(12)]
    copy = make(3)
    files += [
        encoded(copy, 60),
        encoded(copy.resize((200, 190), Image.Resampling.LANCZOS), 85),
        encoded(ImageEnhance.Brightness(copy).enhance(0.99), 90),
    ]
    assert groups(files) == [[3, 12, 13, 14]]


def test_mirrored_pictures_are_others():
    image = photograph(1)
    assert groups([encoded(image, 90), encoded(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 90)]) == []


def test_blank_pictures_are_copies_of_each_other():
    files = [encoded(Image.new("RGB", (40, 40), (v, v, v)), 90) for v in (255, 254, 120)]
    assert groups(files) == [[0, 1]]


def test_thousands_of_equal_pictures_take_no_longer():
    thumbnails = np.full((3000, 64), 200, np.uint8)
    asked = []

    def pixels(indices: np.ndarray) -> np.ndarray:
        asked.extend(indices)
        return np.full((len(indices), 3, 7, 5), 200, np.uint8)

    found = nearly_equal(thumbnails, np.arange(3000), pixels)
    assert [len(group) for group in found] == [3000]
    assert len(asked) <= 2 * 3000


def test_fewer_than_two():
    assert nearly_equal(np.zeros((1, 64), np.uint8), np.arange(1), lambda index: np.zeros(1, np.uint8)) == []

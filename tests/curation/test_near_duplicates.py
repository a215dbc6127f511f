from __future__ import annotations

import io
from itertools import combinations

import numpy as np
from PIL import Image

from workflow.curation.near_duplicates import Twins, alike, close, hashes, miniatures, twins
from workflow.exams.picture import Picture


def scene(seed: int, height: int = 36, width: int = 32) -> np.ndarray:
    """uint8 (3, H, W): smooth patches of colour."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).transpose(2, 0, 1)


def recoded(pixels: np.ndarray, quality: int) -> np.ndarray:
    data = io.BytesIO()
    Image.fromarray(pixels.transpose(1, 2, 0)).save(data, format="JPEG", quality=quality)
    return np.asarray(Image.open(data)).transpose(2, 0, 1)


def picture(name: str, truth: str = "cat") -> Picture:
    return Picture(name, name.rjust(64, "0"), truth)


def found(pixels: np.ndarray, truths: list[str], splits: list[str]) -> list[Twins]:
    pictures = [picture(f"{number}.png", truth) for number, truth in enumerate(truths)]
    return twins(pictures, splits, hashes(pixels), miniatures(pixels))


def test_a_hash_is_imagehashs_own_of_the_mean_channel() -> None:
    from imagehash import phash

    pixels = np.stack([scene(seed) for seed in range(3)])
    grey = np.rint(pixels.mean(axis=1)).astype(np.uint8)
    assert [f"{value:016x}" for value in hashes(pixels)] == [str(phash(Image.fromarray(one))) for one in grey]
    np.testing.assert_array_equal(hashes(pixels), hashes(pixels[:, ::-1]))  # RGB or BGR


def test_miniatures_correlate() -> None:
    pixels = np.stack([scene(1), scene(2), scene(1)]).astype(np.float32)
    pixels[2] = pixels[2] / 2 + 40  # paler
    small = miniatures(pixels)
    assert small.shape == (3, 256)
    likeness = alike(small, np.array([[0, 0], [0, 2], [0, 1]]))
    np.testing.assert_allclose(likeness[:2], 1, atol=1e-5)
    assert likeness[2] < 0.8


def test_a_picture_of_one_grey_is_like_nothing() -> None:
    small = miniatures(np.full((2, 3, 9, 8), 200, np.uint8))
    assert not small.any()


def test_close_finds_what_comparing_one_by_one_finds() -> None:
    rng = np.random.default_rng(7)
    values = rng.integers(0, 2**64, 1300, dtype=np.uint64)  # more than one block of rows
    for number in range(0, 1200, 3):
        values[number + 1] = values[number] ^ np.uint64(sum(1 << bit for bit in set(rng.integers(0, 64, 9).tolist())))
    expected = [
        (one, other)
        for one, other in combinations(range(1300), 2)
        if (int(values[one]) ^ int(values[other])).bit_count() <= 8
    ]
    pairs, bits = close(values)
    assert len(expected) > 100
    assert [tuple(pair) for pair in pairs.tolist()] == expected
    assert bits.tolist() == [(int(values[one]) ^ int(values[other])).bit_count() for one, other in expected]
    across, _ = close(values[:10], values)
    assert [tuple(pair) for pair in across.tolist() if pair[0] < pair[1]] == [pair for pair in expected if pair[0] < 10]
    assert [[number, number] for number in range(10)] == [pair for pair in across.tolist() if pair[0] == pair[1]]


def test_copies_are_found_and_other_pictures_are_not() -> None:
    originals = [scene(seed) for seed in range(40)]
    copies = [recoded(originals[3], 60), np.clip(originals[5] * 0.8 + 20, 0, 255).astype(np.uint8)]
    pixels = np.stack([*originals, *copies])
    pairs = found(pixels, ["cat"] * 42, ["train"] * 42)
    assert {(one.first.path, one.second.path) for one in pairs} == {("3.png", "40.png"), ("5.png", "41.png")}
    assert all(one.likeness > 0.97 and one.bits <= 8 and one.kind == "within a class" for one in pairs)


def test_the_worst_come_first() -> None:
    pixels = np.stack([scene(number // 2) for number in range(8)])
    truths = ["cat", "cat", "cat", "dog", "dog", "dog", "cat", "dog"]
    splits = ["train", "train", "train", "train", "train", "test", "test", "train"]
    pairs = found(pixels, truths, splits)
    kinds = ["across classes, across the split", "across classes", "across the split", "within a class"]
    assert [one.kind for one in pairs] == kinds
    assert pairs[1].json() == {
        "path": "2.png", "label": "cat", "split": "train", "twin": "3.png", "twin_label": "dog", "twin_split": "train",
        "bits": 0, "likeness": 1.0, "kind": "across classes",
    }  # fmt: skip


def test_no_pictures_no_twins() -> None:
    assert found(np.stack([scene(1)]), ["cat"], ["test"]) == []

from __future__ import annotations

import numpy as np

from workflow.curation.patch_features import features, learn, shrunk


def pixels(count: int, seed: int = 0, shape: tuple[int, ...] = (3, 11, 9)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def test_features_are_standardised_and_the_same_each_time() -> None:
    pictures = pixels(205)
    rows = features(pictures, learn(pictures))
    assert rows.shape == (205, 4 * 20)  # a filter for each ten pictures, four quarters
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(rows.std(axis=0), 1, atol=1e-3)
    np.testing.assert_array_equal(rows, features(pictures, learn(pictures)))


def test_a_mirror_image_has_the_features_of_its_picture() -> None:
    pictures = pixels(60, shape=(3, 10, 10))
    filters = learn(pictures)
    both = features(np.concatenate([pictures, pictures[..., ::-1]]), filters)
    np.testing.assert_allclose(both[:60], both[60:], atol=1e-3)


def test_brightness_and_contrast_do_not_matter_much() -> None:
    rng = np.random.default_rng(3)
    plain = rng.integers(40, 120, (80, 3, 12, 10), dtype=np.uint8)
    rows = features(np.concatenate([plain, 2 * plain]), learn(plain))
    likeness = [np.corrcoef(rows[number], rows[80 + number])[0, 1] for number in range(80)]
    assert min(likeness) > 0.95


def test_small_pictures_and_one_channel_have_features_too() -> None:
    pictures = pixels(30, shape=(1, 4, 5))
    rows = features(pictures, learn(pictures))
    assert len(rows) == 30
    assert np.isfinite(rows).all()


def test_pictures_of_one_colour_have_finite_features() -> None:
    flat = np.full((20, 3, 9, 8), 200, np.uint8)
    assert np.isfinite(features(flat, learn(flat))).all()


def test_progress_ends_with_all() -> None:
    told: list[tuple[int, int]] = []
    pictures = pixels(150)
    features(pictures, learn(pictures), lambda done, total: told.append((done, total)))
    assert told == [(100, 150), (150, 150)]


def test_large_pictures_are_shrunk_by_averaging() -> None:
    large = pixels(2, shape=(3, 70, 97))
    small = shrunk(large)
    assert small.shape == (2, 3, 35, 48)
    assert small[1, 2, 3, 5] == np.rint(large[1, 2, 6:8, 10:12].mean())
    assert shrunk(pixels(2, shape=(3, 63, 40))).shape == (2, 3, 63, 40)

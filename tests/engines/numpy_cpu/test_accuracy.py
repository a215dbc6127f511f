from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import NetError


def text(param="", tops='top: "y"'):
    return f'type: "Accuracy" {tops} accuracy_param {{ {param} }}'


def naive(x, labels, top_k=1, ignore=None):
    """(outer, classes, inner) scores; right if fewer than top_k others score at least as much."""
    right, counted = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for outer in range(x.shape[0]):
        for inner in range(x.shape[2]):
            label = int(labels[outer, inner])
            if label == ignore:
                continue
            scores = x[outer, :, inner]
            rivals = sum(scores[k] >= scores[label] for k in range(len(scores)) if k != label)
            counted[label] += 1
            right[label] += rivals < top_k
    return right.sum() / max(1, counted.sum()), right / np.maximum(counted, 1)


@pytest.mark.parametrize("top_k", [1, 2])
@pytest.mark.parametrize("ignore", [None, 0])
def test_share_and_share_of_each_class(one_layer, rng, top_k, ignore):
    x = rng.integers(0, 4, size=(9, 5, 2)).astype("f")  # many ties
    labels = rng.integers(0, 4, size=(9, 2)).astype("f")  # class 4 never comes
    param = f"top_k: {top_k} " + ("" if ignore is None else f"ignore_label: {ignore}")
    blobs = one_layer(text(param, 'top: "y" top: "each"'), x, labels)
    share, each = naive(x, labels, top_k, ignore)
    np.testing.assert_allclose(blobs["y"], share, rtol=1e-6)
    np.testing.assert_allclose(blobs["each"], each, rtol=1e-6)
    assert blobs["y"].shape == ()


def test_ties_count_against_the_item(one_layer):
    x = np.array([[1, 1], [2, 1]], np.float32)
    assert one_layer(text(), x, np.zeros(2, "f"))["y"] == 0.5


def test_along_another_axis(one_layer, rng):
    x, labels = rng.normal(size=(4, 2, 3)).astype("f"), rng.integers(0, 3, size=(4, 2)).astype("f")
    y = one_layer(text("axis: -1"), x, labels)["y"]
    np.testing.assert_allclose(y, (x.argmax(axis=2) == labels).mean(), rtol=1e-6)


def test_nothing_to_count_is_nothing(one_layer):
    assert one_layer(text("ignore_label: 1"), np.ones((2, 3), "f"), np.ones(2, "f"))["y"] == 0


def test_l05_labels_that_are_no_class(one_layer):
    with pytest.raises(NetError, match="label 7, but there are 3 classes") as caught:
        one_layer(text(), np.ones((1, 3), "f"), np.array([7], "f"))
    assert caught.value.fault == "L05"


def test_top_k_beyond_the_classes(one_layer):
    with pytest.raises(NetError, match="top_k=4, but there are 3 classes"):
        one_layer(text("top_k: 4"), np.ones((1, 3), "f"), np.zeros(1, "f"))

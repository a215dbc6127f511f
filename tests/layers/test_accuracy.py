from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import NetError

SCORES = np.array([[3, 1, 2], [1, 1, 0], [0, 5, 4], [9, 0, 0]], np.float32)
LABELS = np.array([0, 0, 2, 0], np.float32)


def text(param="", tops='top: "accuracy"'):
    return f'name: "a" type: "Accuracy" bottom: "x" bottom: "label" {tops} accuracy_param {{ {param} }}'


@pytest.mark.parametrize(
    ("param", "expected"),
    [("", 2 / 4), ("top_k: 2", 4 / 4), ("ignore_label: 2", 2 / 3), ("top_k: 2 ignore_label: 0", 1.0)],
)
def test_share_of_right_ones_where_ties_count_against(one_layer, param, expected):
    assert one_layer(text(param), SCORES, LABELS).tops[0] == pytest.approx(expected)


def test_second_top_is_the_accuracy_of_each_class(one_layer):
    _, classes = one_layer(text(tops='top: "accuracy" top: "classes"'), SCORES, LABELS).tops
    np.testing.assert_allclose(classes, [2 / 3, 0, 0])


def test_places_beside_each_other(one_layer):
    scores = np.array([[[1, 5], [2, 3]]], np.float32)  # (1, 2 classes, 2 places)
    assert one_layer(text(), scores, np.array([[1, 1]], np.float32)).tops[0] == pytest.approx(0.5)


def test_settings_that_cannot_be(one_layer):
    with pytest.raises(NetError, match="top_k=4, but there are 3 classes"):
        one_layer(text("top_k: 4"), SCORES, LABELS)
    with pytest.raises(NetError, match="label -1"):
        one_layer(text(), SCORES, LABELS - 1)

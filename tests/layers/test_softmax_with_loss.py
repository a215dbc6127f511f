from __future__ import annotations

import numpy as np
import pytest
from one_layer import make

from workflow.errors import NetError

LABELS = np.array([[2, 0, 1], [1, 1, 0]], np.float32)
SCORES = np.random.default_rng(4).normal(size=(2, 3, 3)).astype(np.float32)  # (outer, classes, inner)


def text(loss="", softmax=""):
    return f"""name: "loss" type: "SoftmaxWithLoss" bottom: "x" bottom: "label" top: "loss"
      loss_param {{ {loss} }} softmax_param {{ {softmax} }}"""


def items():
    """-log p of every item, as loops."""
    rows = np.zeros((2, 3))
    for n in range(2):
        for i in range(3):
            p = np.exp(SCORES[n, :, i] - SCORES[n, :, i].max())
            rows[n, i] = -np.log(p[int(LABELS[n, i])] / p.sum())
    return rows


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("", items().sum() / 6),
        ("normalization: FULL", items().sum() / 6),
        ("normalization: BATCH_SIZE", items().sum() / 2),
        ("normalization: NONE", items().sum()),
        ("normalize: false", items().sum() / 2),
        ("ignore_label: 1", items()[LABELS != 1].sum() / 3),
        ("ignore_label: 1 normalization: FULL", items()[LABELS != 1].sum() / 6),
    ],
)
def test_normalisation(one_layer, loss, expected):
    assert one_layer(text(loss), SCORES, LABELS).tops[0] == pytest.approx(expected, rel=1e-6)


def test_a_batch_of_ignored_labels_costs_nothing(one_layer):
    ones = np.ones((2, 3), np.float32)
    applied = one_layer(text("ignore_label: 1"), SCORES, ones)
    assert applied.tops[0] == 0


@pytest.mark.parametrize("score", [200, 1e12])
def test_an_item_costs_87_at_most_but_still_learns(one_layer, score):
    x = np.array([[0, score]], np.float32)
    applied = one_layer(text(), x, np.array([0], np.float32), top_diffs=[np.ones((), np.float32)])
    assert applied.tops[0] == pytest.approx(87.3365, abs=1e-3)
    np.testing.assert_allclose(applied.bottom_diffs[0], [[-1, 1]], atol=1e-6)


def test_l05_label_out_of_range(one_layer):
    with pytest.raises(NetError, match="label 3, but there are 3 classes") as caught:
        one_layer(text(), SCORES, LABELS + 1)
    assert caught.value.fault == "L05"


def test_counts_that_do_not_fit(one_layer):
    with pytest.raises(NetError, match="2 labels .* expected 6"):
        one_layer(text(), SCORES, np.zeros(2, np.float32))


def test_labels_begin_with_the_batch():
    with pytest.raises(NetError, match=r"shapes \(4, 3\) and \(1, 4\)|shapes \(4, 3\), \(1, 4\), expected equal first"):
        make(text()).top_shapes((4, 3), (1, 4))

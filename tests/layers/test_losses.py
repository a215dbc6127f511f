"""Losses: what no random net beside Caffe reaches, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import ModelError, NetError
from workflow.formats import blobproto

ONE = np.ones((), np.float32)


def text(kind, param="", bottoms="ab", tops="y"):
    wires = " ".join([*(f'bottom: "{name}"' for name in bottoms), *(f'top: "{name}"' for name in tops)])
    return f'name: "loss" type: "{kind}" {wires} {param}'


def floats(*values):
    return np.array(values, np.float32)


def test_sigmoid_cross_entropy_divides_by_the_batch_not_by_the_count(one_layer):
    x, t = floats([1, -2], [0, 3], [4, -1]), floats([1, 0], [0, 1], [1, 1])
    costs = np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))
    applied = one_layer(text("SigmoidCrossEntropyLoss"), x, t, top_diffs=[ONE])
    assert applied.tops[0] == pytest.approx(costs.sum() / 3)
    np.testing.assert_allclose(applied.bottom_diffs[0], (1 / (1 + np.exp(-x)) - t) / 3, rtol=1e-6)


def test_all_targets_ignored_cost_nothing(one_layer):
    param = "loss_param { ignore_label: 1 normalization: VALID }"
    applied = one_layer(text("SigmoidCrossEntropyLoss", param), floats([1], [2]), floats([1], [1]), top_diffs=[ONE])
    assert applied.tops[0] == 0
    assert not applied.bottom_diffs[0].any()


def test_hinge_has_no_slope_at_its_corner(one_layer):
    applied = one_layer(text("HingeLoss"), floats([1, -1, 0]), floats(0), top_diffs=[ONE])
    assert applied.tops[0] == 1
    np.testing.assert_array_equal(applied.bottom_diffs[0], [[0, 0, 1]])


def test_contrastive_pairs_that_coincide_have_no_gradient(one_layer):
    a = floats([1, 2], [3, 4])
    applied = one_layer(text("ContrastiveLoss", bottoms="abc"), a, a, floats(0, 1), top_diffs=[ONE])
    assert applied.tops[0] == pytest.approx(1 / 4)
    assert not applied.bottom_diffs[0].any()


def test_the_logarithm_of_nothing_is_limited_but_learns(one_layer):
    p = floats([0, 1], [0.5, 0.5])
    applied = one_layer(text("MultinomialLogisticLoss"), p, floats(0, 1), top_diffs=[ONE])
    assert applied.tops[0] == pytest.approx((20 * np.log(10) + np.log(2)) / 2, rel=1e-6)
    np.testing.assert_allclose(applied.bottom_diffs[0], [[-0.5e20, 0], [0, -1]], rtol=1e-6)


def test_infogain_with_the_identity_is_the_softmax_loss(one_layer):
    x, labels = np.random.default_rng(3).normal(size=(4, 3, 2)).astype("f"), floats([0, 1], [2, 1], [1, 1], [0, 2])
    eye = np.eye(3, dtype="f")
    ours = one_layer(text("InfogainLoss", bottoms="abc", tops="yp"), x, labels, eye, top_diffs=[ONE, 0 * x])
    theirs = one_layer(text("SoftmaxWithLoss"), x, labels, top_diffs=[ONE])
    np.testing.assert_allclose(ours.tops[0], theirs.tops[0], rtol=1e-6)
    np.testing.assert_allclose(ours.tops[1].sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(ours.bottom_diffs[0], theirs.bottom_diffs[0], atol=1e-7)


def test_infogain_costs_46_at_most_whatever_the_scores(one_layer):
    x, eye = np.array([[0, 1e12]], np.float32), np.eye(2, dtype=np.float32)
    applied = one_layer(text("InfogainLoss", bottoms="abc"), x, floats(0), eye)
    assert applied.tops[0] == pytest.approx(20 * np.log(10), rel=1e-6)


X = np.zeros((2, 3), np.float32)


@pytest.mark.parametrize(
    ("kind", "param", "bottoms", "words"),
    [
        ("EuclideanLoss", "", [X, X[:1]], "shapes .2, 3., .1, 3., expected equal first dimensions"),
        ("EuclideanLoss", "", [X, X[:, :2]], "expected as many numbers an item"),
        ("EuclideanLoss", "", [np.zeros((2, 1, 1, 1, 1), "f")] * 2, "expected at most 4 axes"),
        ("SigmoidCrossEntropyLoss", "", [X, X[:, :2]], "4 targets for 6 inputs"),
        ("HingeLoss", "", [X, X], "6 labels for 2 items"),
        ("HingeLoss", "", [X, floats(0, 3)], "label 3, but there are 3 classes"),
        ("MultinomialLogisticLoss", "", [X, X], "labels of shape .2, 3., expected one an item"),
        ("MultinomialLogisticLoss", "", [X, floats(0, -1)], "label -1, but there are 3 classes"),
        ("ContrastiveLoss", "", [X, X[:, :2], floats(0, 1)], "expected as many channels"),
        ("ContrastiveLoss", "", [X, X, X], "expected .N, C, 1, 1. twice"),
        ("InfogainLoss", "", [X, floats(0, 1)], "neither a source of the matrix nor a third bottom"),
        ("InfogainLoss", "loss_param { normalize: true }", [X, floats(0, 1), X], "`normalize` is not known"),
        ("InfogainLoss", "", [X, floats(0, 1), X], "the matrix has 6 numbers, expected 3 x 3"),
        ("InfogainLoss", "", [X, floats(0, 5), np.eye(3, dtype="f")], "label 5, but there are 3 classes"),
    ],
)
def test_refused(one_layer, kind, param, bottoms, words):
    with pytest.raises(NetError, match=words):
        one_layer(text(kind, param, "abc"[: len(bottoms)]), *bottoms)


def test_a_matrix_that_is_missing_or_damaged(one_layer, project):
    param = 'infogain_loss_param { source: "H.binaryproto" }'
    with pytest.raises(ModelError, match=r"H\.binaryproto does not exist"):
        one_layer(text("InfogainLoss", param), X, floats(0, 1))
    (project / "H.binaryproto").write_bytes(b"")
    with pytest.raises(ModelError, match=r"H\.binaryproto is empty"):
        one_layer(text("InfogainLoss", param), X, floats(0, 1))
    whole = blobproto.from_array(np.eye(3, dtype="f")).SerializeToString()
    (project / "H.binaryproto").write_bytes(whole[:-3])
    with pytest.raises(ModelError, match="is truncated or damaged"):
        one_layer(text("InfogainLoss", param), X, floats(0, 1))
    (project / "H.binaryproto").write_bytes(whole)
    assert one_layer(text("InfogainLoss", param), X, floats(0, 1)).tops[0] == pytest.approx(np.log(3))

from __future__ import annotations

import math

import numpy as np
import pytest

from workflow.errors import NetError

FLT_MIN = np.finfo(np.float32).tiny


@pytest.mark.parametrize("axis", [1, 2, -1, 0])
def test_softmax_along_an_axis(one_layer, x, axis):
    y = one_layer(f'type: "Softmax" top: "y" softmax_param {{ axis: {axis} }}', 30 * x)["y"]
    powers = np.exp(30 * x.astype(np.float64))
    np.testing.assert_allclose(y, powers / powers.sum(axis=axis, keepdims=True), rtol=1e-4, atol=1e-7)


def naive_loss(x, labels, normalization, ignore):
    """(outer, classes, inner) scores, (outer, inner) labels."""
    total, valid = 0.0, 0
    for outer in range(x.shape[0]):
        for inner in range(x.shape[2]):
            label = int(labels[outer, inner])
            if label == ignore:
                continue
            scores = [math.exp(v - x[outer, :, inner].max()) for v in x[outer, :, inner].tolist()]
            total -= math.log(max(scores[label] / sum(scores), FLT_MIN))
            valid += 1
    z = {"VALID": valid, "FULL": labels.size, "BATCH_SIZE": len(labels), "NONE": 1}[normalization]
    return total / max(1, z)


@pytest.mark.parametrize("normalization", ["VALID", "FULL", "BATCH_SIZE", "NONE"])
@pytest.mark.parametrize("ignore", [None, 1])
def test_loss(one_layer, rng, normalization, ignore):
    x = 5 * rng.normal(size=(4, 3, 2)).astype("f")
    labels = rng.integers(0, 3, size=(4, 2)).astype("f")
    ignored = "" if ignore is None else f"ignore_label: {ignore}"
    body = f'type: "SoftmaxWithLoss" top: "y" loss_param {{ normalization: {normalization} {ignored} }}'
    y = one_layer(body, x, labels)["y"]
    assert y.shape == ()
    np.testing.assert_allclose(y, naive_loss(x, labels, normalization, ignore), rtol=1e-5)


@pytest.mark.parametrize(("old", "new"), [("true", "VALID"), ("false", "BATCH_SIZE")])
def test_the_old_switch_means_valid_or_batch_size(one_layer, rng, old, new):
    x, labels = rng.normal(size=(4, 3, 2)).astype("f"), rng.integers(0, 3, size=(4, 2)).astype("f")
    y = one_layer(f'type: "SoftmaxWithLoss" top: "y" loss_param {{ normalize: {old} }}', x, labels)["y"]
    np.testing.assert_allclose(y, naive_loss(x, labels, new, None), rtol=1e-5)


def test_all_ignored_is_no_loss(one_layer):
    body = 'type: "SoftmaxWithLoss" top: "y" loss_param { ignore_label: 2 }'
    assert one_layer(body, np.ones((3, 4), "f"), np.full(3, 2, "f"))["y"] == 0


def test_a_hopeless_item_costs_as_much_as_flt_min(one_layer):
    x = np.array([[0, 1000]], np.float32)
    loss = one_layer('type: "SoftmaxWithLoss" top: "y"', x, np.zeros(1, "f"))["y"]
    np.testing.assert_allclose(loss, 87.3365, rtol=1e-6)


@pytest.mark.parametrize("label", [-1, 3, np.nan])
def test_l05_labels_that_are_no_class(one_layer, label):
    with pytest.raises(NetError, match="but there are 3 classes") as caught:
        one_layer('type: "SoftmaxWithLoss" top: "y"', np.ones((1, 3), "f"), np.array([label], "f"))
    assert caught.value.fault == "L05"


def test_as_many_labels_as_items(one_layer):
    with pytest.raises(NetError, match="5 labels of shape .5,. for scores of shape .2, 3., expected 2"):
        one_layer('type: "SoftmaxWithLoss" top: "y"', np.ones((2, 3), "f"), np.zeros(5, "f"))


def test_labels_begin_with_the_batch(one_layer):
    with pytest.raises(NetError, match=r"shapes \(2, 3\) and \(1, 2\), expected equal first dimensions"):
        one_layer('type: "SoftmaxWithLoss" top: "y"', np.ones((2, 3), "f"), np.zeros((1, 2), "f"))

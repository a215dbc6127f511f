"""Loss layers: every normalization, ignored labels, labels of each form."""

from __future__ import annotations

import numpy as np
from conformance.case import Case, Rng, flag, floats, generator, maybe, shape, whole

from workflow.formats import blobproto


def _loss_param(rng: Rng, *, ignore: int | None, legacy: bool = True) -> str:
    """A `loss_param { }` with any mode; `legacy` allows the older `normalize` too."""
    modes = ["", *(f"normalization: {name}" for name in ("FULL", "VALID", "BATCH_SIZE", "NONE"))]
    if legacy:
        modes += ["normalize: true", "normalize: false"]
    label = "" if ignore is None else maybe(rng, f" ignore_label: {ignore}")
    weight = maybe(rng, f" loss_weight: {rng.uniform(-2, 2):.3f}")
    return f"loss_param {{ {rng.choice(modes)}{label} }}{weight}"


def _scores_and_labels(rng: Rng) -> tuple[np.ndarray, np.ndarray, int]:
    """Scores of 2 to 4 axes, labels for the places beside the axis of the classes, and that axis (negative too)."""
    sizes = shape(rng, int(rng.integers(2, 5)), most=5)
    axis = int(rng.integers(1, len(sizes)))
    places = sizes[:axis] + sizes[axis + 1 :]
    labels = whole(rng, places, sizes[axis])
    return floats(rng, sizes), labels, axis if rng.integers(2) else axis - len(sizes)


@generator("SoftmaxWithLoss")
def softmax_with_loss(rng: Rng) -> Case:
    x, labels, axis = _scores_and_labels(rng)
    ignore = int(rng.integers(0, x.shape[axis]))
    return Case(
        layer=f"{_loss_param(rng, ignore=ignore)} softmax_param {{ axis: {axis} }}", bottoms=[x, labels], fixed=[1]
    )


@generator("InfogainLoss")
def infogain_loss(rng: Rng) -> Case:
    x, labels, axis = _scores_and_labels(rng)
    classes = x.shape[axis]
    matrix = floats(rng, (classes, classes), low=0, high=2)
    text = f"{_loss_param(rng, ignore=int(rng.integers(0, classes)), legacy=False)}"
    if rng.integers(2):
        file = {"H.binaryproto": blobproto.from_array(matrix.reshape(1, 1, classes, classes)).SerializeToString()}
        info = f'infogain_loss_param {{ axis: {axis} source: "H.binaryproto" }}'
        return Case(layer=f"{text} {info}", bottoms=[x, labels], fixed=[1], files=file)
    info = f"infogain_loss_param {{ axis: {axis} }}"
    return Case(layer=f"{text} {info}", bottoms=[x, labels, matrix.reshape(1, 1, classes, classes)], fixed=[1, 2])


@generator("SigmoidCrossEntropyLoss")
def sigmoid_cross_entropy_loss(rng: Rng) -> Case:
    sizes = shape(rng, int(rng.integers(1, 5)), most=5)
    targets = whole(rng, sizes, 2) if rng.integers(2) else floats(rng, sizes, low=0, high=1)
    other = (sizes[0], *[int(np.prod(sizes[1:]))] * (len(sizes) > 1))
    ignore = int(rng.integers(0, 2))
    return Case(
        layer=_loss_param(rng, ignore=ignore), bottoms=[3 * floats(rng, sizes), targets.reshape(other)], fixed=[1]
    )


@generator("EuclideanLoss")
def euclidean_loss(rng: Rng) -> Case:
    sizes = shape(rng, int(rng.integers(1, 5)), most=5)
    flat = (sizes[0], int(np.prod(sizes[1:])))
    weight = maybe(rng, f"loss_weight: {rng.uniform(-2, 2):.3f}")
    return Case(layer=weight, bottoms=[floats(rng, sizes), floats(rng, flat if rng.integers(2) else sizes)])


@generator("HingeLoss")
def hinge_loss(rng: Rng) -> Case:
    sizes = shape(rng, int(rng.integers(2, 5)), most=5)
    labels = whole(rng, sizes[:1], int(np.prod(sizes[1:])))
    norm = rng.choice(["", "hinge_loss_param { norm: L1 }", "hinge_loss_param { norm: L2 }"])
    weight = maybe(rng, f" loss_weight: {rng.uniform(-2, 2):.3f}")
    return Case(layer=f"{norm}{weight}", bottoms=[floats(rng, sizes), labels], fixed=[1])


@generator("MultinomialLogisticLoss")
def multinomial_logistic_loss(rng: Rng) -> Case:
    sizes = shape(rng, int(rng.integers(2, 5)), most=5)
    p = floats(rng, sizes, low=0.01, high=1)
    labels = whole(rng, sizes[:1], int(np.prod(sizes[1:])))
    if rng.integers(2):
        p.reshape(sizes[0], -1)[0, int(labels[0])] = 0  # below the limit
    return Case(layer=maybe(rng, "loss_weight: 0.5"), bottoms=[p, labels], fixed=[1])


@generator("ContrastiveLoss")
def contrastive_loss(rng: Rng) -> Case:
    items, channels = (int(n) for n in rng.choice(np.arange(2, 9), size=2, replace=False))
    ones = (1,) * (2 * int(rng.integers(2)))
    a, b = (floats(rng, (items, channels, *ones)) for _ in range(2))
    margin = f"margin: {rng.uniform(0.5, 6):.3f}"
    text = f"contrastive_loss_param {{ {margin} legacy_version: {flag(rng)} }}"
    return Case(layer=text, bottoms=[a, b, whole(rng, (items,), 2)], fixed=[2])

"""Bounding boxes: decoding, overlap, and non-maximum suppression.

Boxes are arrays of xmin, ymin, xmax, ymax. Source: bbox_util.cpp of W. Liu's SSD fork.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workflow.formats import caffe_pb2

Array = NDArray[np.float32]
_Code = caffe_pb2.PriorBoxParameter.CodeType


def decode(offsets: Array, priors: Array, variances: Array | None, code: _Code) -> Array:
    """The boxes that a net predicts.

    Args:
        offsets: the net's output, (..., P, 4).
        priors: the boxes that the offsets are relative to, (P, 4).
        variances: factors of the offsets, (P, 4); None if the net has learned them (`variance_encoded_in_target`).
        code: CORNER, offsets of the corners; CENTER_SIZE, of the centre in sizes of the prior, and logarithms of
            the size's factor; CORNER_SIZE, of the corners in sizes of the prior.
    """
    scaled = offsets if variances is None else offsets * variances
    if code == caffe_pb2.PriorBoxParameter.CORNER:
        return np.asarray(priors + scaled, np.float32)
    sizes = priors[:, 2:] - priors[:, :2]  # (P, 2): width, height
    if code == caffe_pb2.PriorBoxParameter.CORNER_SIZE:
        return np.asarray(priors + scaled * np.concatenate([sizes, sizes], axis=1), np.float32)
    centres = scaled[..., :2] * sizes + (priors[:, :2] + priors[:, 2:]) / 2
    half = np.exp(scaled[..., 2:]) * sizes / 2
    return np.concatenate([centres - half, centres + half], axis=-1).astype(np.float32)


def areas(boxes: Array) -> Array:
    """Of boxes (..., 4); 0 for those turned inside out."""
    sides = boxes[..., 2:] - boxes[..., :2]
    return np.asarray(np.where((sides < 0).any(axis=-1), 0, sides.prod(axis=-1)), np.float32)


def overlaps(box: Array, others: Array) -> Array:
    """Intersection over union of one box (4,) with each of (n, 4), 0..1."""
    corners = [np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])]
    sides = corners[1] - corners[0]
    common = np.where((sides > 0).all(axis=1), sides.prod(axis=1), 0)
    union = areas(box) + areas(others) - common
    shares: Array = np.divide(common, union, out=np.zeros(len(others), np.float32), where=common > 0)
    return shares


def suppress(
    boxes: Array, scores: Array, *, least: float | None, overlap: float, top_k: int, eta: float = 1.0
) -> list[int]:
    """The best boxes of one class of which no two overlap more than `overlap`, best first (ApplyNMSFast).

    Args:
        boxes: (n, 4).
        scores: (n,); of equal ones the first counts as better.
        least: scores up to this are left out; None for none.
        overlap: 0..1.
        top_k: how many of the best are looked at; below 0, all.
        eta: below 1, the limit shrinks by that factor with every box kept, while it is above 0.5.
    """
    order = np.argsort(-scores, kind="stable")
    if least is not None:
        order = order[scores[order] > least]
    if top_k >= 0:
        order = order[:top_k]
    kept: list[int] = []
    limit = np.float32(overlap)
    for index in order.tolist():
        if kept and bool((overlaps(boxes[index], boxes[kept]) > limit).any()):
            continue
        kept.append(index)
        if eta < 1 and limit > 0.5:
            limit *= np.float32(eta)
    return kept

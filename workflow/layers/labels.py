"""Class labels in Caffe's form: floats in a blob, truncated to integers and checked."""

from __future__ import annotations

import torch
from torch import Tensor

from workflow.layers.base import Layer


def scores_and_labels(layer: Layer, scores: Tensor, labels: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Bring both to (outer, classes, inner) and (outer, inner), labels as int64.

    Real Caffe does not check labels in its release builds and reads outside the scores; this raises.

    Raises:
        NetError: the counts do not fit.
    """
    outer, classes = scores.shape[:axis].numel(), scores.shape[axis]
    inner = scores.shape[axis + 1 :].numel()
    if labels.numel() != outer * inner:
        raise layer.fail(
            f"{labels.numel()} labels of shape {tuple(labels.shape)} for scores of shape {tuple(scores.shape)}, "
            f"expected {outer * inner}"
        )
    return scores.reshape(outer, classes, inner), labels.reshape(outer, inner).to(torch.int64)


def check_range(layer: Layer, labels: Tensor, classes: int, ignored: Tensor | None) -> None:
    """Refuse labels outside 0..classes-1, apart from ignored ones."""
    wrong = (labels < 0) | (labels >= classes)
    if ignored is not None:
        wrong &= ~ignored
    if bool(wrong.any()):
        label = int(labels[wrong][0])
        raise layer.fail(f"label {label}, but there are {classes} classes (0 to {classes - 1})", fault="L05")

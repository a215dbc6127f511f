"""Layers whose top is their bottom: refused where Caffe refuses, with a warning where its gradient is wrong."""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from workflow.layers.base import Layer


def is_in_place(layer: Layer) -> bool:
    """Whether the layer writes its first top over its first bottom."""
    return bool(layer.spec.bottoms) and layer.spec.bottoms[:1] == layer.spec.tops[:1]


def own(x: Tensor) -> Tensor:
    """The values of a top that Caffe copies from the bottom, in memory of its own if no gradients are needed.

    A layer that works in place on it writes over that memory then, and the bottom must keep what it holds.
    """
    return x if torch.is_grad_enabled() else x.clone()


def refuse_in_place(layer: Layer) -> None:
    """For types that Caffe does not let work in place.

    Raises:
        NetError: the layer does.
    """
    if is_in_place(layer):
        raise layer.fail(
            f"works in place on '{layer.spec.tops[0]}', which this type cannot", hint="give its top another name"
        )


def warn_in_place(layer: Layer) -> None:
    """For types whose backward pass in Caffe reads the bottom that the forward pass has overwritten."""
    if layer.training and is_in_place(layer):
        logging.getLogger("workflow").warning(
            "layer '%s' (%s): works in place; real Caffe gets its gradient wrong then, this engine does not. "
            "Give its top another name if both must train alike",
            layer.spec.name,
            layer.spec.type,
        )

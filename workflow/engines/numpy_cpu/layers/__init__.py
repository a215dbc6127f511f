"""Every layer of the numpy engine; importing this package fills the registry."""

from __future__ import annotations

from workflow.engines.numpy_cpu.layers import (
    accuracy,
    activations,
    convolution,
    dropout,
    eltwise,
    inner_product,
    inputs,
    lrn,
    normalization,
    pooling,
    shapes,
    softmax,
)
from workflow.engines.numpy_cpu.layers.base import Layer, create, layer_types

__all__ = [
    "Layer",
    "accuracy",
    "activations",
    "convolution",
    "create",
    "dropout",
    "eltwise",
    "inner_product",
    "inputs",
    "layer_types",
    "lrn",
    "normalization",
    "pooling",
    "shapes",
    "softmax",
]

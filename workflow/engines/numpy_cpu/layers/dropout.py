"""Dropout."""

from __future__ import annotations

from pathlib import Path

from workflow.engines.base import Array
from workflow.engines.numpy_cpu.layers.base import Layer, layer
from workflow.net.spec import LayerSpec


@layer("Dropout", bottoms=1, tops=1)
class Dropout(Layer):
    """The bottom as it is: nothing is dropped in TEST phase.

    Source: src/caffe/layers/dropout_layer.cpp. A layer that says `phase: TRAIN` drops even so, which is refused here.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        if spec.phase == "TRAIN":
            raise self.fail("says `phase: TRAIN`, and the numpy engine does not train", hint="--engine torch")

    def forward(self, x: Array) -> Array:
        return x.copy()

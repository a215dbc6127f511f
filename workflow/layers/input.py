"""Input."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from workflow.layers.base import Layer, Shape, layer
from workflow.net.spec import LayerSpec


@layer("Input", bottoms=0, tops=(1, None))
class Input(Layer):
    """Blobs that the caller fills; zeros of the prototxt's shapes until then.

    Source: src/caffe/layers/input_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        shapes = [tuple(int(dim) for dim in shape.dim) for shape in self.message.input_param.shape]
        if len(shapes) not in (0, 1, len(spec.tops)):
            raise self.fail(f"{len(shapes)} shapes, expected none, 1 or {len(spec.tops)}")
        self.shapes: list[Shape] = shapes * len(spec.tops) if len(shapes) == 1 else shapes or [()] * len(spec.tops)

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        del bottoms
        return self.shapes

    def forward(self) -> list[Tensor]:
        return [torch.zeros(shape) for shape in self.shapes]

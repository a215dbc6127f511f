"""Upsample, of the SegNet fork (by a mask) and of the YOLO forks (nearest neighbours)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from workflow.layers.base import Layer, Shape, layer
from workflow.net.spec import LayerSpec


@layer("Upsample", bottoms=(1, 2), tops=1)
class Upsample(Layer):
    """Upsample: repeat each value, or put it back at the position of the maximum.

    bottom[0]  x     (N, C, H, W)
    bottom[1]  mask  (N, C, H, W)  SegNet's form: places h W' + w in each plane of the top, from Pooling's second top
    top[0]     y     (N, C, H', W')

    Without a mask (YOLO's form; more leading axes may be there): y[.., h, w] = x[.., h / scale, w / scale], scale 1
    if not said. With one, the rest is 0; H' = `upsample_h`, or `scale_h` H (less one with `pad_out_h`), W' likewise,
    `scale` standing for both, 2 if not said. Where a mask names a place twice the last value counts, and each of
    them gets the place's gradient. Source: upsample_layer.cpp of A. Kendall's SegNet fork, and of the YOLO forks.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.upsample_param
        if len(spec.bottoms) == 1:
            if self.param.HasField("scale") and self.param.scale < 1:
                raise self.fail("scale=0, expected at least 1")
            return
        pairs = [("upsample_h", "upsample_w"), ("scale_h", "scale_w")]
        if any(self.param.HasField(h) != self.param.HasField(w) for h, w in pairs):
            raise self.fail("expected upsample_h and upsample_w, or scale_h and scale_w, or scale")
        for side in ("h", "w"):
            if getattr(self.param, f"pad_out_{side}") and self._scale(side) != 2:
                raise self.fail(f"pad_out_{side} with a scale of {self._scale(side)}, expected 2")

    def _scale(self, side: str) -> int:
        if self.param.HasField("scale_h"):
            return int(getattr(self.param, f"scale_{side}"))
        return self.param.scale if self.param.HasField("scale") else 2

    def _side(self, side: str, size: int) -> int:
        if self.param.HasField("upsample_h"):
            return int(getattr(self.param, f"upsample_{side}"))
        return size * self._scale(side) - int(getattr(self.param, f"pad_out_{side}"))

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        shape = bottoms[0]
        if len(bottoms) == 1:
            if len(shape) < 2:
                raise self.fail(f"bottom of shape {shape}, expected (..., H, W)")
            scale = self.param.scale or 1
            return [(*shape[:-2], shape[-2] * scale, shape[-1] * scale)]
        if len(shape) != 4 or bottoms[1] != shape:
            raise self.fail(f"bottoms of shapes {shape} and {bottoms[1]}, expected (N, C, H, W) twice")
        return [(*shape[:2], self._side("h", shape[2]), self._side("w", shape[3]))]

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            self.top_shapes(tuple(x.shape))
            scale = self.param.scale or 1
            return x.repeat_interleave(scale, dim=-2).repeat_interleave(scale, dim=-1)
        (shape,) = self.top_shapes(tuple(x.shape), tuple(mask.shape))
        places = mask.detach().long().flatten(2)  # (N, C, H W)
        if places.numel() and not 0 <= int(places.min()) <= int(places.max()) < shape[2] * shape[3]:
            raise self.fail(
                f"the mask names places {int(places.min())} to {int(places.max())}, "
                f"expected 0 to {shape[2] * shape[3] - 1}",
                hint="do the sizes match those of the Pooling layer that made the mask?",
            )
        top: Tensor = _Put.apply(x.flatten(2), places, shape[2] * shape[3])  # type: ignore[no-untyped-call]  # torch's own
        return top.reshape(shape)


class _Put(torch.autograd.Function):
    """Values (N, C, n) at places of planes (N, C, size)."""

    @staticmethod
    def forward(context: torch.autograd.function.FunctionCtx, x: Tensor, places: Tensor, size: int) -> Tensor:
        context.save_for_backward(places)
        count = x.shape[2]
        # which value comes last at each place; torch leaves the order of scatter open
        order = torch.arange(count, device=x.device).expand_as(places)
        last = places.new_full((*x.shape[:2], size), -1).scatter_reduce(2, places, order, "amax")
        return torch.where(last >= 0, x.gather(2, last.clamp(min=0)), x.new_zeros(()))

    @staticmethod
    def backward(context: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (places,) = context.saved_tensors  # type: ignore[attr-defined]  # torch declares it for subclasses alone
        return gradients[0].gather(2, places), None, None

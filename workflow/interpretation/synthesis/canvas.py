"""Stored pixels as a differentiable input, with the mean, crop and scale of `Transform.apply`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from workflow.models.model import Model


@dataclass(frozen=True, kw_only=True, eq=False)
class Canvas:
    """The space in which pictures for one model are optimised: pixels of a record, float32 (N, C, H, W), 0..255."""

    shape: tuple[int, int, int]
    """(C, H, W) of a record."""
    crop: int
    """Side of the window in the middle that the net sees, 0 is all."""
    scale: float
    mean: Tensor
    """(C, H, W) or (C, 1, 1), zeros where nothing is subtracted."""

    @classmethod
    def of(cls, model: Model) -> Canvas:
        """The canvas that fits a model's preprocessing."""
        transform, shape = model.transform, model.preprocessing.shape
        mean = np.zeros((shape[0], 1, 1), np.float32) if transform.mean is None else transform.mean
        return cls(
            shape=shape,
            crop=transform.crop,
            scale=transform.scale,
            mean=torch.from_numpy(np.array(mean, np.float32)),
        )

    def blob(self, pixels: Tensor) -> Tensor:
        """The net's input for pixels (N, C, H, W): (pixel - mean) scale, over the middle window."""
        shifted = (pixels - self.mean) * self.scale
        if not self.crop:
            return shifted
        top, left = ((side - self.crop) // 2 for side in self.shape[1:])
        return shifted[:, :, top : top + self.crop, left : left + self.crop]

    def start(self, count: int, generator: torch.Generator, *, noise: float) -> Tensor:
        """Mean pictures (grey where there is no mean) with normal noise of that standard deviation, clamped."""
        base = self.mean if bool(self.mean.any()) else torch.full_like(self.mean, 127.5)
        drawn = torch.randn((count, *self.shape), generator=generator)
        return (base + noise * drawn).clamp(0, 255)

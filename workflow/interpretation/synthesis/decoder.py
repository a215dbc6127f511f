"""A small net trained on the generation's pictures to reconstruct a picture from a blob.

Optimisation (`invert`) finds some picture with the same features; a decoder gives the mean of the natural pictures
that have them, which looks far more like the true one. Dosovitskiy and Brox: Inverting Visual Representations with
Convolutional Networks, CVPR 2016, arXiv:1506.02753.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workflow.exams.exam import Exam, of_generation
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.synthesis.reconstruction import features
from workflow.layers.randomness import drawing
from workflow.models.model import Model
from workflow.storage import replacing

STEPS = 900
"""Steps of training: about a minute on 2 cores at 32 x 32."""
_BATCH = 64
_RATE = 2e-3
_WIDTHS = (96, 64, 32)  # channels at an eighth, a quarter, a half of the picture's size and less
_PICTURES = 20_000
_UNLIKE = 0.2  # weight of 1 - SSIM beside the mean absolute difference
_WINDOW = 7

Progress = Callable[[int, int], None]


class Decoder(nn.Module):
    """Features (N, C, h, w) or (N, C) -> pictures (N, C', H, W), 0..1.

    From a flat blob an eighth of the picture's size is made first; each stage doubles the size and convolves.
    """

    def __init__(self, shape: tuple[int, ...], picture: tuple[int, int, int]) -> None:
        super().__init__()
        self.picture = picture
        rows, columns = picture[1:]
        small = (_WIDTHS[0], -(-rows // 8), -(-columns // 8))
        self.small = None if len(shape) == 4 else small
        self.first: nn.Module = (
            nn.Conv2d(shape[1], _WIDTHS[0], 3, padding=1)
            if self.small is None
            else nn.Linear(int(np.prod(shape[1:])), int(np.prod(small)))
        )
        height = shape[2] if self.small is None else small[1]
        stages: list[nn.Module] = []
        width = _WIDTHS[0]
        for narrower in _WIDTHS:
            if 2 * height <= rows:
                height *= 2
                stages.append(nn.Upsample(scale_factor=2))
            stages += [nn.Conv2d(width, narrower, 3, padding=1), nn.ReLU()]
            width = narrower
        self.stages = nn.Sequential(*stages)
        self.last = nn.Conv2d(width, picture[0], 3, padding=1)

    def forward(self, blob: Tensor) -> Tensor:
        """Pictures, 0..1."""
        if self.small is not None:
            blob = self.first(blob.flatten(1)).view(-1, *self.small).relu()
        else:
            blob = self.first(blob).relu()
        found = self.stages(blob)
        if found.shape[2:] != self.picture[1:]:
            found = nn.functional.interpolate(found, size=self.picture[1:], mode="bilinear", align_corners=False)
        painted: Tensor = self.last(found).sigmoid()
        return painted

    def paint(self, blob: Tensor) -> NDArray[np.uint8]:
        """uint8 (N, C', H, W)."""
        with torch.no_grad():
            painted: NDArray[np.uint8] = (255 * self(blob)).round().to(torch.uint8).numpy()
        return painted


def path(model: Model, blob: str) -> Path:
    """The path of a blob's decoder, beside the other results of the snapshot."""
    return model.place.whole("decoders") / f"{blob.replace('/', '_')}.npz"


def kept(net: Differentiable, blob: str) -> Decoder | None:
    """The decoder that was trained earlier for this net, if there is one."""
    file = path(net.model, blob)
    if not file.is_file():
        return None
    decoder = Decoder(net.shapes[net.known(blob)], net.model.preprocessing.shape)
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
            if str(arrays["weights"]) != _identity(net):
                return None
            decoder.load_state_dict(
                {name.removeprefix("decoder."): torch.from_numpy(arrays[name]) for name in arrays if name != "weights"}
            )
    except (OSError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile):
        return None  # damaged, or of another version: it is trained again
    decoder.eval()
    return decoder


def train(net: Differentiable, blob: str, *, steps: int = STEPS, progress: Progress | None = None) -> Decoder:
    """Train a decoder on the generation's training pictures, and keep it.

    Args:
        net: of a generation's snapshot.
        blob: whose values are decoded.
        steps: of Adam, 64 pictures each.
        progress: called with (done, all).

    Raises:
        UsageError: I02, the net has no such blob.
        ValueError: the model belongs to no generation.
    """
    model = net.model
    if model.generation is None:
        raise ValueError(f"{model.name} has no training pictures")
    pixels = _pixels(of_generation(model.generation, model, "train"), model)
    with drawing():
        torch.manual_seed(0)
        decoder = Decoder(net.shapes[net.known(blob)], model.preprocessing.shape)
        batches = torch.Generator()
        batches.set_state(torch.get_rng_state())
    adam = torch.optim.Adam(decoder.parameters(), lr=_RATE)
    falling = torch.optim.lr_scheduler.OneCycleLR(adam, max_lr=_RATE, total_steps=steps)
    for step in range(1, steps + 1):
        chosen = pixels[torch.randint(len(pixels), (_BATCH,), generator=batches).numpy()]
        wanted = torch.from_numpy(chosen).float() / 255
        painted = decoder(features(net, chosen, blob))
        loss = (painted - wanted).abs().mean() + _UNLIKE * unlikeness(painted, wanted)
        adam.zero_grad()
        loss.backward()
        adam.step()
        falling.step()
        if progress is not None:
            progress(step, steps)
    _keep(net, blob, decoder)
    decoder.eval()
    return decoder


def unlikeness(one: Tensor, other: Tensor) -> Tensor:
    """1 - SSIM of pictures 0..1, over windows of 7 x 7 of equal weight: nearly `likeness.ssim`, and quicker."""

    def mean(values: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(values, _WINDOW, stride=1)

    mean_x, mean_y = mean(one), mean(other)
    var_x, var_y = mean(one * one) - mean_x**2, mean(other * other) - mean_y**2
    covariance = mean(one * other) - mean_x * mean_y
    alike = (2 * mean_x * mean_y + 1e-4) * (2 * covariance + 9e-4)
    return 1 - (alike / ((mean_x**2 + mean_y**2 + 1e-4) * (var_x + var_y + 9e-4))).mean()


def _pixels(exam: Exam, model: Model) -> NDArray[np.uint8]:
    parts, seen = [], 0
    for batch in exam.batches(model, 1000):
        parts.append(np.asarray(batch.pixels, np.uint8))
        seen += len(parts[-1])
        if seen >= _PICTURES:
            break
    return np.concatenate(parts)[:_PICTURES]


def _keep(net: Differentiable, blob: str, decoder: Decoder) -> None:
    file = path(net.model, blob)
    file.parent.mkdir(parents=True, exist_ok=True)
    arrays = {f"decoder.{name}": value.contiguous().numpy() for name, value in decoder.state_dict().items()}
    with replacing(file) as temporary, temporary.open("wb") as out:
        np.savez(out, weights=np.array(_identity(net)), **arrays)


def _identity(net: Differentiable) -> str:
    """Identity of the weights that the decoder was trained for."""
    return hashlib.sha256(net.model.weights.SerializeToString(deterministic=True)).hexdigest()

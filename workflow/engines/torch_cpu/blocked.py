"""oneDNN's blocked memory layout, used for the trunk of a plain net when no gradients are needed.

Blocks of 8 or 16 channels lie together, so that a window reads whole registers: cifar10_quick's MAX pooling takes a
fifth of the time that it takes channels-last in memory, its convolutions 0.85 to 0.95. PyTorch has such tensors
(`Tensor.is_mkldnn`) but few operations on them, and each way into the layout and out of it is a copy. So it is taken
only from where the pictures enter to where the last one is flattened, by nets whose layers all know it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from workflow.engines.base import Shape
from workflow.layers import Layer


class Blobs(Mapping[str, Tensor]):
    """The blobs of a pass by name, in net order; one in oneDNN's layout becomes an ordinary tensor when it is read."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self._tensors = tensors

    def __getitem__(self, name: str) -> Tensor:
        tensor = self._tensors[name] = _ordinary(self._tensors[name])
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)


def trunk(layers: Sequence[Layer], shapes: Mapping[str, Shape]) -> frozenset[int]:
    """The indices of the layers that work in the layout; none if a layer beyond them produces 4-D blobs again."""
    within: set[str] = set()
    numbers: set[int] = set()
    for number, layer in enumerate(layers):
        spec = layer.spec
        if not spec.bottoms:
            within.update(spec.tops)
        elif _fits(layer, within, shapes):
            within.update(spec.tops)
            numbers.add(number)
        elif any(len(shapes[top]) == 4 for top in spec.tops):
            return frozenset()
    return frozenset(numbers)


def _fits(layer: Layer, within: set[str], shapes: Mapping[str, Shape]) -> bool:
    bottoms = layer.spec.bottoms
    known = within.issuperset(bottoms) and all(layer.blocked(shapes[bottom]) for bottom in bottoms)
    return known and not any(layer.spec.loss_weights)  # such tensors cannot be summed


def possible() -> bool:
    """Whether a pass may use the layout now: no gradients, no bfloat16, and a PyTorch that has oneDNN."""
    plain = not torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
    return plain and bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]  # torch's own


def laid_out(bottoms: Sequence[Tensor], *, blocked: bool) -> list[Tensor]:
    """The bottoms of a layer in the layout that it works in."""
    if blocked:
        return [x if x.is_mkldnn else x.to_mkldnn() for x in bottoms]
    return [_ordinary(x) for x in bottoms]


def _ordinary(tensor: Tensor) -> Tensor:
    return tensor.to_dense() if tensor.is_mkldnn else tensor

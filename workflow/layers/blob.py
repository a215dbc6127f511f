"""Blobs as pycaffe shows them: computed by PyTorch, read and changed by scripts as numpy arrays."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workflow.errors import NetError

Array = NDArray[np.float32]
Shape = tuple[int, ...]


class ShapeRefused(NetError, ValueError):
    """A shape that a blob cannot have, or be viewed with; real Caffe ends the process."""


class Numbers:
    """The data or the diff of a blob.

    Until it is read, this is the tensor that a layer made, in whatever layout and on whatever device. The
    first `view` gives it memory of its own in C order; from then on every forward pass writes there, so that an array
    once taken shows the present, as in pycaffe.
    """

    def __init__(self, shape: Shape) -> None:
        """Zeros, which take no memory yet."""
        self.shape = shape
        self._tensor: Tensor | None = None
        self._memory: Tensor | None = None  # one axis, on the CPU; the blob is its beginning
        self._view: Array | None = None

    @classmethod
    def of(cls, tensor: Tensor) -> Self:
        """Numbers that live in the memory of a tensor (float32, C order, on the CPU)."""
        numbers = cls(tuple(tensor.shape))
        numbers._fix(tensor.detach().view(-1))
        return numbers

    @property
    def view(self) -> Array:
        """A writable float32 array (C order) on the memory itself."""
        if self._memory is None or self._view is None:
            given = self._tensor
            memory = torch.zeros(math.prod(self.shape))
            if given is not None:
                memory.view(self.shape).copy_(given)
            self._fix(memory)
        assert self._view is not None  # noqa: S101 - _fix has just made it
        return self._view

    @property
    def seen(self) -> bool:
        """Whether a script has an array of it and may change the memory at any time."""
        return self._memory is not None

    @property
    def tensor(self) -> Tensor:
        """The numbers as they are now, without a copy; not part of any graph, and with a version counter of its own."""
        if self._tensor is None:
            _ = self.view
        assert self._tensor is not None  # noqa: S101 - view has just made it
        return self._tensor.data

    def fixed(self) -> Tensor:
        """The tensor, fixed: from now on only another shape moves the memory."""
        _ = self.view
        return self.tensor

    def put(self, tensor: Tensor) -> None:
        """Take over the values and the shape of a tensor, and its memory if this blob's memory is not in use."""
        tensor = tensor.detach()
        if tensor.dtype != torch.float32:
            tensor = tensor.float()
        self.resize(tuple(tensor.shape))
        if self._memory is None:
            self._tensor = tensor
        else:
            self.tensor.copy_(tensor)

    def add(self, tensor: Tensor) -> None:
        """Add a tensor of the same shape."""
        self.tensor.add_(tensor.to(self.tensor.device))

    def clear(self) -> None:
        """Make all zero."""
        if self._memory is None:
            self._tensor = None
        else:
            self.tensor.zero_()

    def resize(self, shape: Shape) -> None:
        """Another shape. What fits into the memory stays, as in Caffe; what has to grow begins with zeros."""
        if shape == self.shape:
            return
        self.shape = shape
        if self._memory is None:
            self._tensor = None
        elif math.prod(shape) <= self._memory.numel():
            self._fix(self._memory)
        else:
            self._fix(torch.zeros(math.prod(shape)))

    def alias(self, other: Numbers) -> None:
        """Share the memory of other numbers of the same shape from now on."""
        _ = other.view
        assert other._memory is not None  # noqa: S101 - view has just made it
        self._fix(other._memory)

    def _fix(self, memory: Tensor) -> None:
        self._memory = memory
        self._tensor = memory[: math.prod(self.shape)].view(self.shape)
        self._view = self._tensor.numpy()


class Blob:
    """What pycaffe calls a blob: `data` and `diff`, both writable float32 arrays in Caffe's axis order."""

    def __init__(self, numbers: Numbers, gradient: Numbers) -> None:
        self.numbers = numbers
        self.gradient = gradient

    @classmethod
    def zeros(cls, shape: Shape = ()) -> Self:
        """A blob of its own, of zeros."""
        return cls(Numbers(shape), Numbers(shape))

    @property
    def data(self) -> Array:
        """The values; an array on the blob's own memory, to be read and written."""
        return self.numbers.view

    @property
    def diff(self) -> Array:
        """The gradient; an array on the blob's own memory, to be read and written."""
        return self.gradient.view

    @property
    def shape(self) -> Shape:
        """Sizes of all axes; () for a scalar."""
        return self.numbers.shape

    @property
    def count(self) -> int:
        """The number of values."""
        return math.prod(self.shape)

    @property
    def num(self) -> int:
        """Axis 0 of a blob that is seen with four axes; 1 where it has none (so are the next three)."""
        return self._legacy(0)

    @property
    def channels(self) -> int:
        """Axis 1."""
        return self._legacy(1)

    @property
    def height(self) -> int:
        """Axis 2."""
        return self._legacy(2)

    @property
    def width(self) -> int:
        """Axis 3."""
        return self._legacy(3)

    def reshape(self, *dims: int) -> None:
        """Change the shape; layers follow at the next `Net.reshape` or `Net.forward`.

        Raises:
            ShapeRefused: a negative size.
        """
        shape = tuple(int(dim) for dim in dims)
        if min(shape, default=0) < 0:
            raise ShapeRefused(f"reshape to {shape}, expected sizes of at least 0")
        self.numbers.resize(shape)
        self.gradient.resize(shape)

    def _legacy(self, axis: int) -> int:
        if len(self.shape) > 4:
            raise ShapeRefused(f"num, channels, height and width of a blob with {len(self.shape)} axes; use `shape`")
        return self.shape[axis] if axis < len(self.shape) else 1

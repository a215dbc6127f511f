"""The base class of Python layers, pycaffe's `caffe.Layer`, and its blobs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workflow.errors import NetError

Array = NDArray[np.float32]
Shape = tuple[int, ...]


class UserBlob:
    """A bottom, a top or a parameter of a Python layer: `data` and `diff`, writable float32 arrays of one shape."""

    def __init__(self, shape: Shape = ()) -> None:
        """Zeros."""
        self._data, self._diff = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._memory = [self._data.reshape(-1), self._diff.reshape(-1)]

    @property
    def data(self) -> Array:
        """The values."""
        return self._data

    @property
    def diff(self) -> Array:
        """The gradient."""
        return self._diff

    @property
    def shape(self) -> Shape:
        """Sizes of all axes."""
        return self._data.shape

    @property
    def count(self) -> int:
        """The number of values."""
        return self._data.size

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
        """Another shape; as many values as there is room for stay, as in Caffe."""
        shape = tuple(int(size) for size in dims)
        if shape == self.shape:
            return
        if min(shape, default=0) < 0:
            raise NetError(f"reshape to {shape}, expected sizes of at least 0")
        count = math.prod(shape)
        if count > self._memory[0].size:
            self._memory = [np.zeros(count, np.float32), np.zeros(count, np.float32)]
        self._data, self._diff = (memory[:count].reshape(shape) for memory in self._memory)

    def live_in(self, values: Array) -> None:
        """Be a view of that array from now on: a parameter of the net, which a script may change."""
        self._data = values

    def _legacy(self, axis: int) -> int:
        return self.shape[axis] if axis < len(self.shape) else 1


class UserBlobs(list[UserBlob]):
    """The parameters of a Python layer; `add_blob` in `setup` makes them (pycaffe's BlobVec)."""

    def add_blob(self, *dims: int) -> None:
        """One more parameter, zeros of that shape."""
        self.append(UserBlob(tuple(int(size) for size in dims)))


class UserLayer:
    """What a class named by `python_param` derives from: pycaffe's `caffe.Layer`.

    It has the four methods below. `bottom` and `top` are lists of blobs.

    Attributes:
        param_str: text of the prototxt, for the class to make of it what it likes.
        phase: 0 in TRAIN phase, 1 in TEST phase.
        blobs: the parameters.
    """

    def __init__(self, layer_param: object = None, *args: object, **kwargs: object) -> None:
        """Nothing is given to the class here; settings are there when `setup` is called."""
        del layer_param, args, kwargs
        self.param_str = ""
        self.phase = 0
        self.blobs = UserBlobs()

    def setup(self, bottom: list[UserBlob], top: list[UserBlob]) -> None:
        """Called once: read `param_str`, check `bottom`, add parameters."""
        raise NotImplementedError(f"{type(self).__name__} has no setup(bottom, top)")

    def reshape(self, bottom: list[UserBlob], top: list[UserBlob]) -> None:
        """Called before every `forward`: give the tops their shapes."""
        raise NotImplementedError(f"{type(self).__name__} has no reshape(bottom, top)")

    def forward(self, bottom: list[UserBlob], top: list[UserBlob]) -> None:
        """Write `top[i].data`."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(bottom, top)")

    def backward(self, top: list[UserBlob], propagate_down: list[bool], bottom: list[UserBlob]) -> None:
        """Write `bottom[i].diff` from `top[i].diff` where `propagate_down[i]`, and add to `blobs[i].diff`."""
        raise NotImplementedError(f"{type(self).__name__} has no backward(top, propagate_down, bottom)")

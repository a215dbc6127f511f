"""`caffe.io.Transformer`: the preprocessing between a picture and a net's input.

Source of the behaviour: python/caffe/io.py of BVLC Caffe. preprocess never writes into the caller's array; Caffe's
does where that is float32 and of the right size already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.errors import did_you_mean
from workflow.pycaffe.refusals import Refused
from workflow.pycaffe.resizing import resize_image

Array = NDArray[np.float32]


class Transformer:
    """For each input: resize, transpose, swap channels, scale, subtract the mean, scale again; and all that back.

    Args:
        inputs: name of each input blob -> its shape (N, K, H, W).
    """

    def __init__(self, inputs: Mapping[str, Sequence[int]]) -> None:
        self.inputs = {name: tuple(int(size) for size in shape) for name, shape in inputs.items()}
        self.transpose: dict[str, Sequence[int]] = {}
        self.channel_swap: dict[str, Sequence[int]] = {}
        self.raw_scale: dict[str, float] = {}
        self.mean: dict[str, NDArray[Any]] = {}
        self.input_scale: dict[str, float] = {}

    def preprocess(self, in_: str, data: NDArray[Any]) -> Array:
        """From a picture (H', W', K) to the net's (K, H, W), in the order that the class names; new memory."""
        self._check(in_)
        found = np.array(data, dtype=np.float32)
        size = self.inputs[in_][2:]
        if found.shape[:2] != size:
            found = resize_image(found, size)
        if in_ in self.transpose:
            found = found.transpose(self.transpose[in_])
        if in_ in self.channel_swap:
            found = found[list(self.channel_swap[in_])]
        if in_ in self.raw_scale:
            found *= self.raw_scale[in_]
        if in_ in self.mean:
            found -= self.mean[in_]
        if in_ in self.input_scale:
            found *= self.input_scale[in_]
        return found

    def deprocess(self, in_: str, data: NDArray[Any]) -> NDArray[Any]:
        """From the net's (K, H, W), or a batch of one, back to a picture; the size stays."""
        self._check(in_)
        found = data.copy().squeeze()
        if in_ in self.input_scale:
            found /= self.input_scale[in_]
        if in_ in self.mean:
            found += self.mean[in_]
        if in_ in self.raw_scale:
            found /= self.raw_scale[in_]
        if in_ in self.channel_swap:
            found = found[np.argsort(self.channel_swap[in_])]
        if in_ in self.transpose:
            found = found.transpose(np.argsort(self.transpose[in_]))
        return found

    def set_transpose(self, in_: str, order: Sequence[int]) -> None:
        """Set the order of axes: (2, 0, 1) makes (K, H, W) of (H, W, K).

        Raises:
            Refused: the input is unknown or has another number of axes.
        """
        self._check(in_)
        if len(order) != len(self.inputs[in_]) - 1:
            raise Refused(
                "Transpose order needs to have the same number of dimensions as the input: "
                f"{tuple(order)} for one item of {self.inputs[in_]}"
            )
        self.transpose[in_] = order

    def set_channel_swap(self, in_: str, order: Sequence[int]) -> None:
        """Set the order of channels, taken after the transposition: (2, 1, 0) makes BGR of RGB.

        Raises:
            Refused: the input is unknown or has another number of channels.
        """
        self._check(in_)
        if len(order) != self.inputs[in_][1]:
            raise Refused(
                "Channel swap needs to have the same number of dimensions as the input channels: "
                f"{tuple(order)} for {self.inputs[in_][1]} channels"
            )
        self.channel_swap[in_] = order

    def set_raw_scale(self, in_: str, scale: float) -> None:
        """Set a factor applied before the mean: 255 for nets trained on bytes, since load_image gives 0..1."""
        self._check(in_)
        self.raw_scale[in_] = scale

    def set_input_scale(self, in_: str, scale: float) -> None:
        """Set a factor applied after the mean."""
        self._check(in_)
        self.input_scale[in_] = scale

    def set_mean(self, in_: str, mean: NDArray[Any]) -> None:
        """Set the mean to subtract.

        Args:
            in_: the input.
            mean: one number a channel (K,), or a picture (H, W) or (K, H, W), in the net's order of channels and its
                range; a picture of another size is resized.

        Raises:
            Refused: the input is unknown.
            ValueError: the mean's shape does not fit.
        """
        self._check(in_)
        shape = self.inputs[in_][1:]
        if mean.ndim == 1:
            if len(mean) != shape[0]:
                raise ValueError(f"Mean channels incompatible with input: {len(mean)}, expected {shape[0]}")
            self.mean[in_] = mean[:, np.newaxis, np.newaxis]
            return
        picture = mean[np.newaxis] if mean.ndim == 2 else mean
        if picture.ndim != 3:
            raise ValueError(f"Mean shape invalid: {mean.shape}, expected (K,), (H, W) or (K, H, W)")
        # a picture of all channels alike is broadcast; (1, H, W) for K channels goes through the resize, as in Caffe
        if picture.shape != shape:
            mean = _resized(picture, shape[1:])
        self.mean[in_] = mean

    def _check(self, in_: str) -> None:
        if in_ not in self.inputs:
            raise Refused(
                f"{in_} is not one of the net inputs: {', '.join(self.inputs)}",
                hint=did_you_mean(in_, list(self.inputs)),
            )


def _resized(mean: NDArray[Any], size: Sequence[int]) -> NDArray[Any]:
    low, high = float(mean.min()), float(mean.max())
    if high == low:
        return np.full((mean.shape[0], *size), low, dtype=np.float32)
    unit = (mean - low) / (high - low)
    resized: NDArray[Any] = resize_image(unit.transpose(1, 2, 0), size).transpose(2, 0, 1) * (high - low) + low
    return resized

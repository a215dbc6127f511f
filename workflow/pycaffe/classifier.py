"""`caffe.Classifier`: a net with its preprocessing, for whole pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.formats import caffe_pb2
from workflow.layers.blob import Array
from workflow.pycaffe import io
from workflow.pycaffe.net import FilePath, Net
from workflow.pycaffe.refusals import Refused


def make_transformer(
    net: Net,
    mean: NDArray[Any] | None,
    input_scale: float | None,
    raw_scale: float | None,
    channel_swap: Sequence[int] | None,
) -> io.Transformer:
    """A Transformer for the net's first input, from pictures (H, W, K)."""
    name = net.inputs[0]
    transformer = io.Transformer({name: net.blobs[name].shape})
    transformer.set_transpose(name, (2, 0, 1))
    if mean is not None:
        transformer.set_mean(name, mean)
    if input_scale is not None:
        transformer.set_input_scale(name, input_scale)
    if raw_scale is not None:
        transformer.set_raw_scale(name, raw_scale)
    if channel_swap is not None:
        transformer.set_channel_swap(name, channel_swap)
    return transformer


class Classifier(Net):
    """A net in TEST phase that takes pictures (H, W, K) as `io.load_image` gives them.

    Source of the behaviour: python/caffe/classifier.py of BVLC Caffe.
    """

    def __init__(
        self,
        model_file: FilePath,
        pretrained_file: FilePath,
        image_dims: Sequence[int] | None = None,
        mean: NDArray[Any] | None = None,
        input_scale: float | None = None,
        raw_scale: float | None = None,
        channel_swap: Sequence[int] | None = None,
    ) -> None:
        """Open the net.

        Args:
            model_file: the deploy net.
            pretrained_file: its weights.
            image_dims: height and width that pictures are brought to before they are cropped; the net's own if None.
            mean: see `Transformer.set_mean`, and so for the rest.
            input_scale: a factor applied after the mean.
            raw_scale: a factor applied before the mean.
            channel_swap: order of channels.
        """
        super().__init__(model_file, phase=caffe_pb2.TEST, weights=pretrained_file)
        self.transformer = make_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.crop_dims = np.array(self.blobs[self.inputs[0]].shape[2:])
        self.image_dims = tuple(image_dims) if image_dims is not None and len(image_dims) else tuple(self.crop_dims)

    def predict(self, inputs: Sequence[NDArray[Any]], oversample: bool = True) -> Array:
        """Probabilities of classes.

        Args:
            inputs: pictures (H, W, K), of any sizes.
            oversample: mean over ten crops; otherwise the centre alone.

        Returns:
            float32 (N, classes).

        Raises:
            Refused: one picture in the place of a list (a ValueError too).
        """
        if isinstance(inputs, np.ndarray) and inputs.ndim < 4:
            raise Refused(
                f"predict takes a list of pictures, got one array of shape {inputs.shape}", hint="predict([picture])"
            )
        pictures = np.array([io.resize_image(one, self.image_dims) for one in inputs])  # (N, height, width, K)
        crops = io.oversample(list(pictures), self.crop_dims.tolist()) if oversample else self._centre(pictures)
        name = self.inputs[0]
        data = np.array([self.transformer.preprocess(name, crop) for crop in crops])
        found = self.forward_all(**{name: data})[self.outputs[0]]  # type: ignore[arg-type]  # a blob's name
        if not oversample:
            return found
        mean: Array = found.reshape(len(found) // 10, 10, -1).mean(axis=1)
        return mean

    def _centre(self, pictures: Array) -> Array:
        (top, left), (height, width) = (
            (np.array(self.image_dims) / 2 - self.crop_dims / 2).astype(int),
            self.crop_dims,
        )
        return pictures[:, top : top + height, left : left + width]

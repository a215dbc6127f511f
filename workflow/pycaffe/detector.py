"""`caffe.Detector`: a net that classifies windows of pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.errors import EngineMissing
from workflow.formats import caffe_pb2
from workflow.layers.blob import Array
from workflow.pycaffe import io
from workflow.pycaffe.classifier import make_transformer
from workflow.pycaffe.net import FilePath, Net
from workflow.pycaffe.refusals import Refused

Window = Sequence[int] | NDArray[Any]
"""ymin, xmin, ymax, xmax, in pixels."""


class Detector(Net):
    """A net in TEST phase that classifies windows of pictures, each warped to its input's size.

    Girshick and others: Rich feature hierarchies for accurate object detection and semantic segmentation
    (arXiv 1311.2524). Source of the behaviour: python/caffe/detector.py of BVLC Caffe.
    """

    def __init__(
        self,
        model_file: FilePath,
        pretrained_file: FilePath,
        mean: NDArray[Any] | None = None,
        input_scale: float | None = None,
        raw_scale: float | None = None,
        channel_swap: Sequence[int] | None = None,
        context_pad: int | None = None,
    ) -> None:
        """Open the net; see `Classifier`.

        Args:
            model_file: the deploy net.
            pretrained_file: its weights.
            mean: see `Transformer.set_mean`, and so for the next three.
            input_scale: a factor applied after the mean.
            raw_scale: a factor applied before the mean.
            channel_swap: order of channels.
            context_pad: pixels of the net's input, on each side, that show what surrounds the window.
        """
        super().__init__(model_file, phase=caffe_pb2.TEST, weights=pretrained_file)
        self.transformer = make_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.configure_crop(context_pad)

    def configure_crop(self, context_pad: int | None) -> None:
        """Set the border of context around windows; beyond the picture it is filled with the mean."""
        name, transformer = self.inputs[0], self.transformer
        _, channels, height, width = self.blobs[name].shape
        self.crop_dims = np.array([height, width, channels])
        self.context_pad = context_pad
        self.crop_mean: NDArray[Any] = np.zeros((height, width, channels), np.float32)
        mean = transformer.mean.get(name)
        if mean is None:
            return
        picture = np.broadcast_to(mean, (channels, height, width)).transpose(1, 2, 0)
        if name in transformer.channel_swap:
            picture = picture[:, :, np.argsort(transformer.channel_swap[name])]
        self.crop_mean = picture / transformer.raw_scale.get(name, 1.0)

    def detect_windows(self, images_windows: Iterable[tuple[str, Sequence[Window]]]) -> list[dict[str, Any]]:
        """Classify windows.

        Args:
            images_windows: pairs of a picture's file and its windows.

        Returns:
            For each window in order a dict: `window`, `prediction` (the net's first output) and `filename`.

        Raises:
            Refused: no window at all, or one that lies outside its picture.
        """
        crops, places = [], []
        for filename, windows in images_windows:
            image = io.load_image(filename)
            for window in windows:
                crops.append(self.crop(image, window))
                places.append((filename, window))
        if not crops:
            raise Refused("detect_windows: no window given")
        name = self.inputs[0]
        data = np.array([self.transformer.preprocess(name, crop) for crop in crops])
        found = self.forward_all(**{name: data})[self.outputs[0]]  # type: ignore[arg-type]  # a blob's name
        return [
            {"window": window, "prediction": prediction, "filename": filename}
            for (filename, window), prediction in zip(places, found, strict=True)
        ]

    def detect_selective_search(self, image_fnames: Iterable[str]) -> list[dict[str, Any]]:
        """Classify the windows that Selective Search proposes.

        Raises:
            EngineMissing: its package is not installed.
        """
        try:
            import selective_search_ijcv_with_python as selective_search  # type: ignore[import-not-found]  # no package
        except ImportError as error:
            raise EngineMissing(
                "selective search needs the module 'selective_search_ijcv_with_python' and MATLAB",
                hint="propose windows yourself and call detect_windows",
            ) from error
        names = [str(Path(name).absolute()) for name in image_fnames]
        return self.detect_windows(
            zip(names, selective_search.get_windows(names, cmd="selective_search_rcnn"), strict=True)
        )

    def crop(self, im: Array, window: Window) -> Array:
        """Cut a window out of a picture (H, W, K), with its context if there is to be any.

        Raises:
            Refused: nothing of the window lies in the picture.
        """
        ymin, xmin, ymax, xmax = (int(edge) for edge in window)
        crop = im[ymin:ymax, xmin:xmax]
        if not crop.size:
            raise Refused(f"window {(ymin, xmin, ymax, xmax)} has nothing of a picture of {im.shape[:2]}")
        return self._with_context(im, np.array([ymin, xmin, ymax, xmax])) if self.context_pad else crop

    def _with_context(self, im: Array, window: NDArray[Any]) -> Array:
        """The window enlarged by the context and warped to the net's input; the mean where the picture ends."""
        size = self.blobs[self.inputs[0]].width  # the input is square
        scale = size / (size - 2.0 * (self.context_pad or 0))
        half = (window[2:] - window[:2] + 1) / 2.0
        centre = window[:2] + half
        box = np.round(np.concatenate([centre - scale * half, centre + scale * half]))
        full = box[2:] - box[:2] + 1
        before = [round(max(0.0, -box[axis]) * size / full[axis]) for axis in (0, 1)]
        box = np.clip(box, 0, [*im.shape[:2], *im.shape[:2]]).astype(int)
        inside = box[2:] - box[:2] + 1
        extent = [min(round(inside[axis] * size / full[axis]), size - before[axis]) for axis in (0, 1)]
        crop = np.ones(tuple(self.crop_dims), np.float32) * self.crop_mean
        part = io.resize_image(im[box[0] : box[2], box[1] : box[3]], extent)
        crop[before[0] : before[0] + extent[0], before[1] : before[1] + extent[1]] = part
        whole: Array = crop.astype(np.float32)
        return whole

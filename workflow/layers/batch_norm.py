"""BatchNorm."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from torch import Tensor

from workflow.formats import caffe_pb2
from workflow.layers.base import Layer, ParamBlob, Shape, layer
from workflow.net.spec import LayerSpec, ParamSpec


@layer("BatchNorm", bottoms=1, tops=1)
class BatchNorm(Layer):
    """Every channel brought to mean 0 and variance 1; a Scale layer after it learns other ones.

    bottom[0]  x  (N, C, ...)        top[0]  y  same shape
    blobs      sums of means (C,), sums of variances (C,), their weight (1,); all 0 at first, none is learned

    y = (x - mean) / sqrt(variance + eps). TEST, or `use_global_stats: true`: with the blobs divided by their weight,
    so that a new layer (weight 0) divides by sqrt(eps). TRAIN, or `use_global_stats: false`: with the batch's own
    mean and biased variance over m = N * places; and every forward pass, f being `moving_average_fraction`, makes
    weight = f weight + 1, means = f means + mean, variances = f variances + variance m / (m - 1).
    Source: src/caffe/layers/batch_norm_layer.cpp. Like Caffe the layer sets lr_mult and decay_mult of its blobs to 0.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(_unlearned(spec), folder)
        self.param = self.message.batch_norm_param
        if any(param.lr_mult != 0 for param in self.spec.params):
            raise self.fail(
                "its blobs are statistics, which no solver may change; a param block says otherwise",
                hint="leave the param blocks out, or write lr_mult: 0 into each",
            )
        given = self.param.HasField("use_global_stats")
        self.stored = self.param.use_global_stats if given else not self.training

    def param_blobs(self, *bottoms: Shape) -> list[ParamBlob]:
        if len(bottoms[0]) < 2:
            raise self.fail(f"bottom of shape {bottoms[0]}, expected (N, C, ...)")
        channels = bottoms[0][1]
        zero = caffe_pb2.FillerParameter()
        return [ParamBlob(shape=shape, filler=zero) for shape in ((channels,), (channels,), (1,))]

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        return [bottoms[0]]

    def forward(self, x: Tensor, factor: Tensor | None = None, summand: Tensor | None = None) -> Tensor:
        """y, or factor y + summand: the two, of (C,), are those of a Scale layer that need not run then."""
        x = x.float()
        if x.dim() < 2 or x.shape[1] != self.blobs[0].numel():
            raise self.fail(f"bottom of shape {tuple(x.shape)}, expected {self.blobs[0].numel()} channels on axis 1")
        mean, variance = self._from_blobs() if self.stored else (torch.zeros_like(b.detach()) for b in self.blobs[:2])
        # with momentum 1 torch leaves the batch's own mean and unbiased variance in the two
        y = torch.batch_norm(x, factor, summand, mean, variance, not self.stored, 1.0, self.param.eps, False)
        if not self.stored:
            self._remember(mean, variance, x.numel() // x.shape[1])
        return y

    def _from_blobs(self) -> tuple[Tensor, Tensor]:
        means, variances, weight = (blob.detach() for blob in self.blobs)
        factor = torch.where(weight == 0, 0.0, 1 / weight)
        return means * factor, variances * factor

    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Add a batch's statistics over `count` values a channel to the blobs."""
        if count == 1:
            variance = torch.zeros_like(variance)  # torch's 0 / 0
        fraction = self.param.moving_average_fraction
        with torch.no_grad():
            for blob, new in zip(self.blobs, (mean, variance, torch.ones_like(self.blobs[2])), strict=True):
                blob.mul_(fraction).add_(new)


def _unlearned(spec: LayerSpec) -> LayerSpec:
    """The layer with one param block a blob, all of rate 0, as Caffe writes it into the caffemodel."""
    params = tuple(
        param if param.lr_mult is not None else dataclasses.replace(param, lr_mult=1.0) for param in spec.params
    )
    missing = 3 - len(params)
    message = caffe_pb2.LayerParameter()
    message.CopyFrom(spec.message)
    for _ in range(missing):
        message.param.add(lr_mult=0, decay_mult=0)
    added = (ParamSpec(lr_mult=0.0, decay_mult=0.0),) * missing
    return dataclasses.replace(spec, params=(*params, *added), message=message)

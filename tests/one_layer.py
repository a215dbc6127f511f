"""One layer at a time: parse its prototxt, give it arrays, take its tops and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from google.protobuf import text_format
from numpy.typing import NDArray

from workflow.formats import caffe_pb2
from workflow.layers import Layer, create
from workflow.net.build import build

Array = NDArray[np.float32]
SHAPE = (2, 3, 7, 5)  # no two sizes alike: a swapped axis shows


@dataclass
class Applied:
    """What one layer made of its bottoms, and the gradients of sum(top * top_diff) over all tops."""

    layer: Layer
    tops: list[Array]
    bottom_diffs: list[Array] = field(default_factory=list)
    blob_diffs: list[Array] = field(default_factory=list)


def make(text: str, phase: str = "TRAIN", folder: Path | None = None) -> Layer:
    """The layer of a prototxt body, its bottoms fed by Input layers; its files are in `folder`."""
    layer = text_format.Parse(text, caffe_pb2.LayerParameter())
    net = caffe_pb2.NetParameter(name="one")
    for bottom in layer.bottom:
        net.layer.add(name=f"input_{bottom}", type="Input", top=[bottom])
    net.layer.add().CopyFrom(layer)
    spec = build(net, phase=phase)  # type: ignore[arg-type]
    return create(spec.layer(layer.name), folder or Path())


def apply(
    text: str, *bottoms: Array, blobs: Sequence[Array] = (), top_diffs: Sequence[Array] = (), phase: str = "TRAIN"
) -> Applied:
    """Run a layer on arrays; with `top_diffs`, its gradients too."""
    layer = make(text, phase)
    layer.param_blobs(*[bottom.shape for bottom in bottoms])
    tensors = [torch.tensor(bottom, requires_grad=bool(top_diffs)) for bottom in bottoms]
    layer.blobs = [torch.tensor(blob, requires_grad=bool(top_diffs)) for blob in blobs]
    result = layer.forward(*tensors)
    tops = [result] if isinstance(result, torch.Tensor) else list(result)
    applied = Applied(layer, [top.detach().numpy().copy() for top in tops])
    assert layer.top_shapes(*[bottom.shape for bottom in bottoms]) == [top.shape for top in applied.tops]
    if top_diffs:
        sum((top * torch.tensor(diff)).sum() for top, diff in zip(tops, top_diffs, strict=True)).backward()
        applied.bottom_diffs = [torch.zeros_like(t).numpy() if t.grad is None else t.grad.numpy() for t in tensors]
        applied.blob_diffs = [blob.grad.numpy() for blob in layer.blobs]
    return applied

"""A recorded net on the torch engine: how far its outputs and gradients are from what real Caffe said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from conformance.recording import Recording
from google.protobuf import text_format
from numpy.typing import NDArray
from torch import Tensor

from workflow.engines.base import Array
from workflow.engines.torch_cpu import Net
from workflow.formats import caffe_pb2
from workflow.net.build import build

NOISE = 0.01
"""Numbers are compared with the largest of their array, or with this if all are smaller: where a gradient is 0 on
paper, two orders of float32 additions leave different crumbs of 1e-8 or so."""


@dataclass(frozen=True, kw_only=True)
class Worst:
    """The largest relative errors: of the tops, and of the gradients of bottoms and parameters."""

    outputs: float
    gradients: float
    where: str
    """The array with the largest error."""


class _Tracked(Net):
    """A net whose inputs gather gradients."""

    def _inputs(self, arrays: Mapping[str, Array]) -> dict[str, Tensor]:
        self.leaves = {name: tensor.requires_grad_() for name, tensor in super()._inputs(arrays).items()}
        return self.leaves


def replay(recording: Recording, folder: Path, device: torch.device | None = None) -> Worst:
    """Run the net of a recording and compare everything in it.

    Args:
        recording: from `recording.record`, or out of a golden file.
        folder: an empty folder for the net's own files.
        device: where the net runs; the CPU if None.

    Raises:
        AssertionError: a shape differs, or a gradient is there that should not be.
    """
    for file, content in _under(recording, "file").items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content.tobytes())
    net = _built(recording, folder, device)
    try:
        errors = _forward(net, recording)
        outputs = max(errors.values(), default=0.0)
        errors |= _backward(net, recording)
    finally:
        net.close()
    gradients = max((error for key, error in errors.items() if "_diff" in key), default=0.0)
    return Worst(outputs=outputs, gradients=gradients, where=max(errors, key=errors.__getitem__, default=""))


def error(ours: NDArray[np.generic], theirs: NDArray[np.generic], what: str) -> float:
    """The largest difference over the largest number, infinite where only one side is NaN or infinite."""
    assert ours.shape == theirs.shape, f"{what}: shape {ours.shape}, Caffe's is {theirs.shape}"
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    odd = ~np.isfinite(theirs)
    if not np.array_equal(ours[odd], theirs[odd], equal_nan=True) or not np.isfinite(ours[~odd]).all():
        return float("inf")
    largest = np.abs(theirs[~odd]).max(initial=NOISE)
    return float(np.abs(ours[~odd] - theirs[~odd]).max(initial=0.0) / largest)


def _under(recording: Recording, what: str) -> dict[str, NDArray[np.generic]]:
    return {key[len(what) + 1 :]: array for key, array in recording.items() if key.startswith(f"{what}/")}


def _built(recording: Recording, folder: Path, device: torch.device | None) -> _Tracked:
    message = text_format.Parse(str(recording["net"]), caffe_pb2.NetParameter())
    net = _Tracked(build(message, phase="TRAIN"), folder=folder, device=device)
    params = net.params
    expected = {key for layer, blobs in params.items() for key in (f"{layer}/{i}" for i in range(len(blobs)))}
    given = _under(recording, "blob")
    assert {key for key in expected if not key.startswith("feed")} == set(given), "parameters that Caffe does not have"
    with torch.no_grad():
        for key, array in given.items():
            layer, index = key.rsplit("/", 1)
            blob = params[layer][int(index)]
            assert tuple(blob.shape) == array.shape, f"blob {key}: shape {tuple(blob.shape)}, Caffe's is {array.shape}"
            blob.copy_(torch.from_numpy(array))
    return net


def _forward(net: _Tracked, recording: Recording) -> dict[str, float]:
    inputs = {f"b{index}": array for index, array in _under(recording, "bottom").items()}
    errors = {}
    tops = _under(recording, "top")
    for turn in sorted({key.partition("/")[0] for key in tops}, key=int):
        net.run(inputs or None)
        assert {f"{turn}/{name}" for name in net.spec.outputs} == {key for key in tops if key.startswith(f"{turn}/")}
        for name in net.spec.outputs:
            key = f"top/{turn}/{name}"
            errors[key] = error(net.blobs[name].detach().cpu().numpy(), recording[key], key)
    for key, array in _under(recording, "after").items():
        layer, index = key.rsplit("/", 1)
        errors[f"after/{key}"] = error(net.params[layer][int(index)].detach().cpu().numpy(), array, key)
    return errors


def _backward(net: _Tracked, recording: Recording) -> dict[str, float]:
    seeds = [
        (net.blobs[name] * torch.from_numpy(diff).to(net.device)).sum()
        for name, diff in _under(recording, "top_diff").items()
        if net.blobs[name].requires_grad
    ]
    if seeds:
        torch.stack(seeds).sum().backward()
    errors = {}
    for index, theirs in _under(recording, "bottom_diff").items():
        leaf = net.leaves[f"b{index}"]
        errors[f"bottom_diff/{index}"] = error(_gradient(leaf), theirs, f"bottom_diff/{index}")
    for key, theirs in _under(recording, "blob_diff").items():
        layer, index = key.rsplit("/", 1)
        errors[f"blob_diff/{key}"] = error(_gradient(net.params[layer][int(index)]), theirs, f"blob_diff/{key}")
    return errors


def _gradient(leaf: Tensor) -> NDArray[np.generic]:
    return np.zeros(leaf.shape, np.float32) if leaf.grad is None else leaf.grad.cpu().numpy()

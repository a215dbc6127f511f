"""Time each layer: forward and backward in PyTorch and real Caffe, forward in numpy.

The counterpart of `caffe time`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workflow.engines import numpy_cpu
from workflow.engines.base import Array
from workflow.engines.bvlc.engine import Engine as RealCaffe
from workflow.errors import EngineMissing, NetError
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import read_net, write
from workflow.pycaffe.net import Net

WARM = 2
"""Passes before the first that counts."""

Progress = Callable[[int, int], None]
"""Called with (done, all) after each pass of both engines."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Timing:
    """The medians of one net."""

    net: Path
    batch: int
    iterations: int
    layers: tuple[tuple[str, str], ...]
    """(name, type), without the Split layers that Caffe inserts."""
    torch: Array
    """(2, layers): milliseconds forward and backward."""
    caffe: Array | None
    """The same in real Caffe; None where it is not installed."""
    numpy: Array | None
    """(layers,): milliseconds forward; None for a net with a layer that the numpy engine does not know."""

    def json(self) -> dict[str, Any]:
        """As `wf time --json` gives it."""
        rows = []
        for number, (name, kind) in enumerate(self.layers):
            row: dict[str, Any] = {"name": name, "type": kind, "torch": _both(self.torch[:, number])}
            if self.caffe is not None:
                row["caffe"] = _both(self.caffe[:, number])
            if self.numpy is not None:
                row["numpy"] = {"forward": float(self.numpy[number])}
            rows.append(row)
        total = {"torch": _both(self.torch.sum(1))}
        if self.caffe is not None:
            total["caffe"] = _both(self.caffe.sum(1))
        if self.numpy is not None:
            total["numpy"] = {"forward": float(self.numpy.sum())}
        return {
            "net": str(self.net),
            "batch": self.batch,
            "iterations": self.iterations,
            "milliseconds": total,
            "layers": rows,
        }


def measure(
    source: Path, *, batch: int | None = None, iterations: int = 20, progress: Progress | None = None
) -> Timing:
    """Time a deploy net layer by layer; its weights come from the fillers.

    The engines take turns, so that a machine whose speed drifts slows all of them.

    Args:
        source: a prototxt with Input layers.
        batch: pictures in a pass; None is what the prototxt says.
        iterations: passes that are measured; the result is their median.
        progress: called with (done, all).

    Raises:
        NetError: the net has no Input layer, or cannot be built.
    """
    message = read_net(source)
    inputs = [layer for layer in message.layer if layer.type == "Input"]
    if not inputs:
        raise NetError(f"{source} has no Input layer", hint=f"time the deploy net; wf net deploy {source} makes one")
    net = _net(message, batch)  # looks only: nothing is kept for a backward pass
    size = net.blobs[net.inputs[0]].shape[0]
    plain = (
        numpy_cpu.Engine().open(message, net._running.message(), source=source) if numpy_cpu.knows(message) else None
    )
    zeros = {name: np.zeros(net.blobs[name].shape, np.float32) for name in net.inputs}
    message.force_backward = True  # so that there is something to time backward
    learning = _net(message, batch)
    ours, theirs, others = [], [], []
    real = _real(message, source)
    try:
        for number in range(WARM + iterations):
            ours.append(_pass(net, learning))
            if real is not None:
                theirs.append(real.timings(size, backward=True)[1])
            if plain is not None:
                others.append(plain.timings(**zeros))
            if progress is not None:
                progress(number + 1, WARM + iterations)
    finally:
        if real is not None:
            real.__exit__(None, None, None)
    kept = [index for index, view in enumerate(net.layers) if view.type != "Split"]
    return Timing(
        net=source,
        batch=size,
        iterations=iterations,
        layers=tuple((net._layer_names[index], net.layers[index].type) for index in kept),
        torch=_medians(ours)[:, kept],
        caffe=_medians(theirs)[:, kept] if theirs else None,
        numpy=_medians(others)[kept] if others else None,
    )


def _real(message: caffe_pb2.NetParameter, source: Path) -> Any:
    try:
        return RealCaffe().open(message, None, source=source)
    except EngineMissing:
        return None


def _net(message: caffe_pb2.NetParameter, batch: int | None) -> Net:
    with tempfile.TemporaryDirectory(prefix="wf-time-") as folder:
        path = Path(folder) / "net.prototxt"
        write(path, message)
        net = Net(path, caffe_pb2.TEST)
    for name in net.inputs:
        shape = net.blobs[name].shape
        net.blobs[name].reshape(batch or shape[0], *shape[1:])
    net.reshape()
    return net


def _pass(net: Net, learning: Net) -> Array:
    count = len(net.layers)
    seconds = np.zeros((2, count), np.float32)
    for index in range(count):
        start = time.perf_counter()
        net._forward(index, index)
        seconds[0, index] = time.perf_counter() - start
    learning._forward(0, count - 1)
    for index in reversed(range(count)):
        start = time.perf_counter()
        learning._backward(index, index)
        seconds[1, index] = time.perf_counter() - start
    return seconds


def _medians(passes: list[Array]) -> Array:
    medians: Array = 1000 * np.median(np.stack(passes[WARM:]), axis=0)
    return medians


def _both(pair: Array) -> dict[str, float]:
    return {"forward": float(pair[0]), "backward": float(pair[1])}

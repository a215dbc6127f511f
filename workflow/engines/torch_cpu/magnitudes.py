"""Which layer's output explodes first: the largest value of each blob, compared with the first pass of a run."""

from __future__ import annotations

import math

from workflow.engines.torch_cpu.trainable import Trainable

_GROWN = 100.0  # times its value in the first pass
_LEAST = 1e-3  # blobs may be zero in the first pass
_FAR = 10.0  # times the loss of the first pass: far enough to look at the blobs


class Magnitudes:
    """Watches the passes of one run. All but the first, and one with a far higher loss, cost nothing."""

    def __init__(self) -> None:
        self._first: dict[str, float] = {}
        self._loss = 0.0
        self._told = False

    def see(self, net: Trainable, loss: float) -> str | None:
        """After each training pass: `grown`, once, where the loss is ten times that of the first pass."""
        if not self._first:
            self._first, self._loss = _largest(net), max(loss, _LEAST)
        if self._told or not loss > _FAR * self._loss:
            return None
        self._told = True
        return self.grown(net)

    def grown(self, net: Trainable) -> str | None:
        """The first layer, in net order, whose output has grown, in words; None if none has.

        An output has grown if its largest magnitude is 100 times that of the first pass, or NaN or infinite.
        """
        now = _largest(net)
        for layer in net.layers:
            for top in layer.spec.tops:
                before, after = max(self._first.get(top, math.inf), _LEAST), now.get(top, 0.0)
                if after > _GROWN * before or (math.isfinite(before) and not math.isfinite(after)):
                    end = f"to {after:.2g}" if math.isfinite(after) else "to NaN or infinity"
                    return f"the output of layer '{layer.spec.name}' grew first, from {before:.2g} {end}"
        return None


def _largest(net: Trainable) -> dict[str, float]:
    return {name: float(blob.detach().abs().max()) for name, blob in net.blobs.items() if blob.numel()}

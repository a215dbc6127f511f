"""Which layers a backward pass visits, and to which of their bottoms and parameters it hands a gradient.

Source: src/caffe/net.cpp, Net::Init: the three passes over the layers at its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflow.net.spec import LayerSpec, NetSpec

Rates = Mapping[int, Sequence[float]]
"""Index of a layer -> the lr_mult of its parameters."""


@dataclass(kw_only=True)
class Reach:
    """One entry for each layer of the net."""

    layers: list[bool]
    """Whether backward visits the layer."""
    bottoms: list[list[bool]]
    """Whether it writes the diff of each bottom."""
    params: list[list[bool]]
    """Whether it adds to the diff of each parameter."""


def reach(spec: NetSpec, rates: Rates) -> Reach:
    """Where gradients go in a net.

    A layer is visited if something below it or in it can learn and if a loss lies above it; without a loss nothing
    is, unless the net says `force_backward: true`, which sends a gradient to all but labels.
    """
    found = _able_to_learn(spec, rates)
    _cut_where_no_loss_is(spec, found)
    if spec.force_backward:
        for index, layer in enumerate(spec.layers):
            found.layers[index] = True
            found.params[index] = [True] * len(found.params[index])
            found.bottoms[index] = [
                down or not _is_label(layer, bottom) for bottom, down in enumerate(found.bottoms[index])
            ]
    return found


def _able_to_learn(spec: NetSpec, rates: Rates) -> Reach:
    """From the inputs up: does anything at or below learn?"""
    found = Reach(layers=[], bottoms=[], params=[])
    learning: set[str] = set()
    for index, layer in enumerate(spec.layers):
        params = [rate != 0 for rate in rates.get(index, ())]
        below = [bottom in learning for bottom in layer.bottoms]
        given = list(layer.propagate_down) if layer.message.propagate_down else below
        needed = any(below) or any(params)
        if needed:
            learning.update(layer.tops)
        found.layers.append(needed)
        found.bottoms.append(given)
        found.params.append(params)
    return found


def _cut_where_no_loss_is(spec: NetSpec, found: Reach) -> None:
    """Whether a loss depends on each blob, on a path that is not blocked; from the outputs down."""
    under_loss: set[str] = set()
    blocked: set[str] = set()
    for index in range(len(spec.layers) - 1, -1, -1):
        layer = spec.layers[index]
        tops = list(zip(layer.tops, layer.loss_weights, strict=True))
        counts = any(weight or top in under_loss for top, weight in tops)
        open_way = any(top not in blocked for top, _ in tops)
        if found.layers[index] and not open_way:
            found.bottoms[index] = [False] * len(layer.bottoms)
        found.layers[index] = found.layers[index] and open_way and counts
        for position, bottom in enumerate(layer.bottoms):
            if counts:
                under_loss.add(bottom)
            else:
                found.bottoms[index][position] = False
            if not found.bottoms[index][position]:
                blocked.add(bottom)


def _is_label(layer: LayerSpec, bottom: int) -> bool:
    """Whether the layer refuses to hand a gradient to that bottom (Layer::AllowForceBackward)."""
    match layer.type:
        case "EuclideanLoss":
            return False
        case "ContrastiveLoss":
            return bottom == 2
        case "RNN" | "LSTM":
            return bottom == 1
        case kind:
            return kind.endswith("Loss") and bottom == 1

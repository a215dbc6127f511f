"""Find the channels of a blob without which a picture leaves its class.

Each channel's map is replaced by its mean over pictures of the other classes, and the rest of the net is run: the
fall of the class's log odds is what the channel carried. Channels are then replaced together, those that carried most
first, until it is no longer in the class.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.targets import Target

_BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Channel:
    """The contribution of one channel."""

    number: int
    fall: float
    """Fall of the log odds in nats when this channel alone is replaced; negative: evidence against the class."""


@dataclass(frozen=True, kw_only=True)
class Carrying:
    """The contributions of all channels of a blob."""

    blob: str
    channels: tuple[Channel, ...]
    """Sorted by contribution, the largest first."""
    enough: int | None
    """How many of the first, replaced together, make the net choose another class; None if all of them do not."""


def carrying(net: Differentiable, x: Tensor, target: Target, blob: str, usual: Tensor) -> Carrying:
    """Replace the channels of a blob one by one, and then together.

    Args:
        net: the net.
        x: the input blob of one picture, (1, C, H, W).
        target: the predicted class.
        blob: whose channels; not the input.
        usual: the values that replace them, (C, ...).
    """
    with torch.no_grad():
        own = net.run(x, until=(blob,)).blobs[blob]  # (1, C, ...)
        count = own.shape[1]
        alone = torch.eye(count, dtype=torch.bool)  # row k: channel k is replaced
        whole = _log_odds(_scores(net, x, target, blob, own), target.channel)
        falls = (
            whole - _log_odds(_scores(net, x, target, blob, _replaced(own, usual, alone)), target.channel)
        ).tolist()
        order = sorted(range(count), key=lambda channel: -falls[channel])
        together = torch.zeros((count, count), dtype=torch.bool)
        for row in range(count):
            together[row, order[: row + 1]] = True
        chosen = _scores(net, x, target, blob, _replaced(own, usual, together)).argmax(1) != target.channel
    lost = chosen.nonzero().flatten()
    return Carrying(
        blob=blob,
        channels=tuple(Channel(number=channel, fall=falls[channel]) for channel in order),
        enough=int(lost[0]) + 1 if len(lost) else None,
    )


def _replaced(own: Tensor, usual: Tensor, which: Tensor) -> Tensor:
    """The blob once for each row of `which` (rows, C), the channels that are true there replaced."""
    return torch.where(which.reshape(*which.shape, *[1] * (own.dim() - 2)), usual, own)


def _scores(net: Differentiable, x: Tensor, target: Target, blob: str, values: Tensor) -> Tensor:
    """The scores (rows, classes) where the blob holds each of these rows."""
    found = []
    for start in range(0, len(values), _BATCH):
        part = values[start : start + _BATCH]
        run = net.run(x.expand(len(part), *x.shape[1:]), until=(target.blob,), held={blob: part})
        found.append(run.blobs[target.blob].flatten(1))
    return torch.cat(found)


def _log_odds(scores: Tensor, channel: int) -> Tensor:
    """Log p / (1 - p) of a class from scores (rows, classes) of at least two classes."""
    others = torch.cat([scores[:, :channel], scores[:, channel + 1 :]], dim=1)
    return scores[:, channel] - others.logsumexp(1)

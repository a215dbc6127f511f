"""Gradients of a batch that is computed in micro-batches, by threads, by processes or by both."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from workflow.data.rows import Rows
from workflow.engines.torch_cpu.net import Net
from workflow.engines.torch_cpu.net_threads import NetThreads
from workflow.engines.torch_cpu.shares import counts, kind_of
from workflow.engines.torch_cpu.sums import Sums
from workflow.layers import Layer


class Wishes(Protocol):
    """What rank 0 wishes of all processes, as a number that travels with the gradients."""

    def said(self) -> float:
        """The wish of this process, 0 for none; only that of rank 0 counts."""
        ...

    def heard(self, wish: float) -> None:
        """The wish of rank 0, told in every process after the same iteration."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Pass:
    """A forward pass over one micro-batch."""

    place: int
    """Among the micro-batches of this process."""
    rows: Rows
    blobs: Mapping[str, Tensor]


class MicroBatches:
    """Runs the train net over micro-batches and adds up loss, outputs and gradients; see `update.Gradients`.

    Args:
        net: to be trained.
        parts: the rows of every micro-batch, in order, those of other processes too.
        sums: adds up.
        autocast: makes the precision in which forward passes compute.
        threads: of this process; as many as it has micro-batches get rows of their own.
        wishes: told in every iteration; None where one process is alone.
    """

    def __init__(
        self,
        net: Net,
        parts: Sequence[Rows],
        sums: Sums,
        autocast: Callable[[], torch.autocast],
        threads: int,
        wishes: Wishes | None = None,
    ) -> None:
        self._autocast, self._sums, self._wishes = autocast, sums, wishes
        self._own = [rows for rows in parts if rows.index % sums.size == sums.rank]
        self._apart = parts[0].batch is None
        self._learned = [one.tensor for one in net.learnable if one.tensor.requires_grad]
        self._makers = {top: layer for layer in net.layers for top in layer.spec.tops}
        losses = ((top, weight) for one in net.layers for top, weight in zip(one.spec.tops, one.spec.loss_weights))  # noqa: B905 - equal by construction
        self._weights = {top: weight for top, weight in losses if weight}
        self._outputs = {name: net.shapes[name] for name in net.spec.outputs}
        self._counted = [] if self._apart else [layer for layer in net.layers if kind_of(layer) == "counted"]
        numbers = sum(one.numel() for one in self._learned) + sum(map(math.prod, self._outputs.values()))
        self._vectors = torch.zeros(len(self._own), numbers + 2)
        self._parts = [_Parts(vector, self._learned, self._outputs) for vector in self._vectors]
        self._threads = NetThreads(net, min(threads, len(self._own)), threads)

    def close(self) -> None:
        """End the threads."""
        self._threads.close()

    def __call__(self, net: Net, passes: int, /) -> float:
        """As `Gradients` says; `net.blobs` then has the outputs of the whole batch."""
        self._vectors.zero_()
        first = net.position
        for position in range(first, first + passes):
            self._run(position, outputs=position == first + passes - 1)
        net.part = None
        if self._wishes is not None and self._sums.rank == 0:
            self._parts[0].wish.fill_(self._wishes.said())
        total = _Parts(self._sums.add(self._vectors), self._learned, self._outputs)
        for parameter, gradient in zip(self._learned, total.gradients, strict=True):
            parameter.grad = gradient
        net.blobs = {**net.blobs, **total.outputs}
        if self._wishes is not None:
            self._wishes.heard(float(total.wish))
        return float(total.loss) / passes

    def _run(self, position: int, *, outputs: bool) -> None:
        """One pass over the micro-batches of this process."""
        count = len(self._own)
        if not self._counted:
            self._threads.each(
                count,
                lambda net, place: self._backward(self._forward(net, position, place), None, outputs=outputs),
            )
            return
        made = self._threads.each(count, lambda net, place: self._forward(net, position, place))
        own = torch.stack([counts(self._counted, one.blobs) for one in made])
        whole = self._sums.total(own.sum(dim=0))  # what a loss is divided by is known once all its labels are counted
        self._threads.each(count, lambda _, place: self._backward(made[place], whole, outputs=outputs))

    def _forward(self, net: Net, position: int, place: int) -> _Pass:
        net.part = self._own[place]
        net.start_at(position)
        with self._autocast():
            net.run()
        return _Pass(place=place, rows=net.part, blobs=net.blobs)

    def _backward(self, one: _Pass, whole: Tensor | None, *, outputs: bool) -> None:
        parts = self._parts[one.place]
        own = None if whole is None else counts(self._counted, one.blobs)
        loss = torch.zeros(())
        for top, weight in self._weights.items():
            loss = loss + weight * self._share(one, top, own, whole) * one.blobs[top].float().sum()
        if loss.requires_grad:
            found = torch.autograd.grad(loss, self._learned, allow_unused=True)  # parameters are the threads' in common
            for place, gradient in zip(parts.gradients, found, strict=True):
                if gradient is not None:
                    place += gradient
        parts.loss += loss.detach()
        if outputs:
            for name, output in parts.outputs.items():
                self._put(one, name, output, self._share(one, name, own, whole))

    def _share(self, one: _Pass, top: str, own: Tensor | None, whole: Tensor | None) -> float:
        """By what a part's number is multiplied, so that all parts' add up to the whole batch's."""
        layer: Layer = self._makers[top]
        kind = "rows" if self._apart else "sum" if one.blobs[top].dim() else kind_of(layer)
        if kind == "counted" and own is not None and whole is not None:
            number = self._counted.index(layer)
            return max(1, int(own[number])) / max(1, int(whole[number]))
        return 1.0 if kind == "sum" else one.rows.share

    def _put(self, one: _Pass, name: str, place: Tensor, share: float) -> None:
        """Write a micro-batch's output where, added to the others', it gives the whole batch's."""
        value = one.blobs[name].detach()
        if not place.dim():
            place.fill_(float(value) * share)
        elif one.rows.batch is not None:
            rows = place.view(one.rows.batch, -1)[one.rows.own]
            rows.copy_(value.reshape(rows.shape))
        elif one.rows.index == 0:  # each worker has its own rows: those of the first are shown
            place.copy_(value)


class _Parts:
    """Views of a vector: gradients as their parameters lie in memory, outputs, loss and wish."""

    def __init__(self, vector: Tensor, learned: Sequence[Tensor], outputs: Mapping[str, tuple[int, ...]]) -> None:
        self.gradients: list[Tensor] = []
        self.outputs: dict[str, Tensor] = {}
        start = 0
        for parameter in learned:
            self.gradients.append(
                vector.as_strided(parameter.shape, parameter.stride(), vector.storage_offset() + start)
            )
            start += parameter.numel()
        for name, shape in outputs.items():
            self.outputs[name] = vector[start : start + math.prod(shape)].view(shape)
            start += math.prod(shape)
        self.loss, self.wish = vector[start], vector[start + 1]

"""Shared parts of LSTM and RNN: sequences, their starts, the carried state, exposed blobs."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import linear

from workflow.layers.base import Layer, ParamBlob, Shape
from workflow.net.spec import LayerSpec


class Recurrent(Layer):
    """A layer over T time steps of N sequences.

    bottom[0]  x     (T, N, ...)  inputs                bottom[1]  cont  (T, N)  0 where a sequence begins, else 1
    bottom[2]  s     (N, ...)     optional: one input for all moments
    bottom[-k:]                   with `expose_hidden: true`: the k states to begin with, (1, N, D) each
    top[0]     y     (T, N, D)    D = num_output
    top[1:]                       with `expose_hidden: true`: the k last states, (1, N, D) each

    Without `expose_hidden` the last states are what the next forward pass begins with, without a gradient between
    the two; the first pass of a net (and of each test) begins with zeros. cont has no gradient. As in Caffe the
    exposed states have none either, neither those that come in nor those that go out. T may not change.
    A resumed run begins with zeros, too: Caffe's solverstate does not hold the states.
    Source: src/caffe/layers/recurrent_layer.cpp.
    """

    states: ClassVar[int]
    """How many states are carried from step to step: k."""

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.recurrent_param
        if self.param.num_output < 1:
            raise self.fail(f"num_output={self.param.num_output}, expected at least 1")
        exposed = self.states if self.param.expose_hidden else 0
        self.static = len(spec.bottoms) > 2 + exposed
        for what, names, allowed in (
            ("bottoms", spec.bottoms, (2 + exposed, 3 + exposed)),
            ("tops", spec.tops, (1 + exposed,)),
        ):
            if len(names) not in allowed:
                expected = " or ".join(map(str, allowed))
                hidden = f"expose_hidden: {str(self.param.expose_hidden).lower()}"
                raise self.fail(f"{len(names)} {what}, expected {expected} with {hidden}")
        self._moments: int | None = None
        self._carried: list[Tensor] = []

    # ---- shapes ----

    def param_blobs(self, *bottoms: Shape) -> list[ParamBlob]:
        self._check(*bottoms)
        return self.weights(math.prod(bottoms[0][2:]), math.prod(bottoms[2][1:]) if self.static else None)

    @abstractmethod
    def weights(self, inputs: int, static: int | None) -> list[ParamBlob]:
        """The parameters for that many inputs a step, and that many static inputs (None for no such bottom)."""

    def weight(self, outputs: int, inputs: int) -> ParamBlob:
        """A matrix of weights."""
        return ParamBlob(shape=(outputs, inputs), filler=self.param.weight_filler)

    def bias(self, outputs: int) -> ParamBlob:
        """A vector of biases."""
        return ParamBlob(shape=(outputs,), filler=self.param.bias_filler)

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        self._check(*bottoms)
        moments, items = bottoms[0][:2]
        exposed = [(1, items, self.param.num_output)] * (len(self.spec.tops) - 1)
        return [(moments, items, self.param.num_output), *exposed]

    def _check(self, *bottoms: Shape) -> None:
        x, cont, *others = bottoms
        if len(x) < 3 or cont != x[:2]:
            raise self.fail(f"bottoms of shapes {x} and {cont}, expected (T, N, ...) and (T, N)")
        if self._moments not in (None, x[0]):
            raise self.fail(f"{x[0]} moments, but the layer was built for {self._moments}")
        if self.static and (len(others[0]) < 2 or others[0][0] != x[1]):
            raise self.fail(f"bottom of shape {others[0]}, expected ({x[1]}, ...): one input for all moments")
        wanted = (1, x[1], self.param.num_output)
        for state in others[1 if self.static else 0 :]:
            if state != wanted:
                raise self.fail(f"state of shape {state}, expected {wanted}")

    # ---- running ----

    def forward(self, *bottoms: Tensor) -> list[Tensor]:
        self._check(*[tuple(bottom.shape) for bottom in bottoms])
        x, cont, *others = bottoms
        moments, items = x.shape[:2]
        self._moments = moments
        read = [(x, 2, self.blobs[0]), (others[0], 1, self.blobs[2])] if self.static else [(x, 2, self.blobs[0])]
        for bottom, axis, weight in read:
            if bottom.shape[axis:].numel() != weight.shape[1]:
                raise self.fail(f"bottom of shape {tuple(bottom.shape)}, expected {weight.shape[1]} inputs")
        inputs = linear(x.flatten(2), self.blobs[0], self.blobs[1])  # (T, N, outputs of the input's weights)
        blobs = self.blobs[2:]
        if self.static:
            inputs = inputs + linear(others.pop(0).flatten(1), blobs[0])
            blobs = blobs[1:]
        states = [state.detach()[0] for state in others] or self._begin(items, x)
        outputs = []
        for moment in range(moments):
            output, states = self.step(inputs[moment], states, cont.detach()[moment], blobs)
            outputs.append(output)
        if self.param.expose_hidden:
            return [torch.stack(outputs), *[state.detach().unsqueeze(0) for state in states]]
        with torch.inference_mode(mode=False):  # a later pass may need gradients of what is computed from these
            self._carried = [state.detach().clone() for state in states]
        return [torch.stack(outputs)]

    @abstractmethod
    def step(
        self, inputs: Tensor, states: Sequence[Tensor], cont: Tensor, blobs: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """One time step: its output (N, D) and the new states.

        Args:
            inputs: what the inputs add to the units, (N, outputs of the input's weights).
            states: each (N, D).
            cont: (N,).
            blobs: the parameters behind those of the inputs.
        """

    def _begin(self, items: int, like: Tensor) -> list[Tensor]:
        shape = (items, self.param.num_output)
        if self.position == 0 or not self._carried or tuple(self._carried[0].shape) != shape:
            return [like.new_zeros(shape) for _ in range(self.states)]
        return self._carried

"""Run a net layer by layer on blobs that a script may read and change between layers.

Each layer that backward will visit keeps a small graph of its own from its bottoms and parameters to its tops;
between layers, values and gradients pass through the blobs, as in Caffe.
Source: src/caffe/net.cpp, Net::ForwardFromTo and BackwardFromTo; src/caffe/python/caffe/_caffe.cpp.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from workflow.engines.torch_cpu.built import Built
from workflow.formats import blobproto, caffe_pb2
from workflow.layers import Layer
from workflow.layers.blob import Blob
from workflow.layers.dummy_data import DummyData
from workflow.layers.python import Python
from workflow.layers.user_module import UserCodeError
from workflow.net.spec import NetSpec
from workflow.pycaffe import memory, mode
from workflow.pycaffe.reach import reach
from workflow.pycaffe.refusals import Refused

Callback = Callable[[int], object]


@dataclass(kw_only=True)
class _Trace:
    """The graph from a layer's bottoms and parameters to its tops; leaves that need a gradient are marked."""

    bottoms: list[Tensor]
    params: list[Tensor]
    tops: list[Tensor]


class Running:
    """The net behind a pycaffe net: built as the engine's, run layer by layer.

    Attributes:
        spec: the net on paper.
        layers: in net order.
        learnable: the parameters in Caffe's order, each shared one once.
        memory: name -> blob, in net order.
        param_memory: for each layer the blobs of its parameters; sharers share data and diff.
        callbacks: functions of a layer's index, for each of `before_forward`, `after_forward`, `before_backward`
            and `after_backward`.
    """

    def __init__(
        self, spec: NetSpec, *, seed: int = 0, folder: Path | None = None, like: Running | None = None
    ) -> None:
        theirs = like._built if like else None
        with _as_raised():
            self._built: Built = Built(spec, seed=seed, folder=folder, like=theirs, row_major=True)
        self.spec, self.layers, self.learnable = spec, self._built.layers, self._built.learnable
        for layer in self.layers:
            layer.exact = True
        self.memory = memory.blobs(self.layers, self._built.shapes)
        lent = like.params_by_layer() if like else {}
        self.param_memory = memory.param_blobs(self.layers, self._built.shared, lent)
        self._runs: Counter[int] = Counter()  # forward passes of each layer
        self.callbacks: dict[str, list[Callback]] = {
            f"{when}_{way}": [] for when in ("before", "after") for way in ("forward", "backward")
        }
        rates = {(one.layer, one.index): one.rate for one in self.learnable}
        owner = self._built.shared
        self.reach = reach(
            spec,
            {
                number: [
                    rates.get(owner.get((layer.spec.name, index), (layer.spec.name, index)), 1.0)
                    for index in range(len(layer.blobs))
                ]
                for number, layer in enumerate(self.layers)
            },
        )
        self._traces: dict[int, _Trace] = {}
        memory.fill_constants(self.layers, self.memory)
        for layer, blobs in zip(self.layers, self.param_memory, strict=True):
            if isinstance(layer, Python):
                layer.instance.blobs[:] = blobs

    def params_by_layer(self) -> dict[str, list[Blob]]:
        """Layer name -> the blobs of its parameters."""
        return dict(zip((layer.spec.name for layer in self.layers), self.param_memory, strict=True))

    @property
    def blobs(self) -> dict[str, Tensor]:
        """Name -> what the blob holds now, in net order."""
        return {name: blob.numbers.tensor for name, blob in self.memory.items()}

    def copy_from(self, source: caffe_pb2.NetParameter, /, *, known: Collection[str] | None = None) -> None:
        """See `Built.copy_from`."""
        self._built.copy_from(source, known=known)

    def message(self, *, gradients: bool = False) -> caffe_pb2.NetParameter:
        """See `Built.message`; parameters have the shapes that a script has given them."""
        net = self._built.message()
        for layer, blobs in zip(net.layer, self.param_memory, strict=True):
            del layer.blobs[:]
            layer.blobs.extend(blobproto.from_array(blob.data, diff=blob.diff if gradients else None) for blob in blobs)
        return net

    def close(self) -> None:
        """Close databases."""
        self._built.close()

    def start_at(self, position: int) -> None:
        """Does nothing: every layer counts its own passes, so it continues after passes that a script ran."""

    # ---- forward ----

    def run(self) -> Tensor:
        """The whole pass; inputs keep what they hold."""
        return torch.tensor(self.forward_range(0, len(self.layers) - 1))

    def forward_range(self, first: int, last: int) -> float:
        """Run layers `first` to `last`, both included; returns the sum of their weighted losses."""
        loss = 0.0
        with torch.inference_mode(False):
            for number in range(first, last + 1):
                self._call("before_forward", number)
                loss += self._forward(number)
                self._call("after_forward", number)
        return loss

    def _forward(self, number: int) -> float:
        layer = self.layers[number]
        if layer.spec.type == "Input":
            return 0.0
        layer.seed, layer.position = self._built.seed, self._runs[number]
        self._runs[number] += 1
        if isinstance(layer, Python):
            bottoms, tops = self._around(layer)
            layer.instance.reshape(bottoms, tops)
            layer.instance.forward(bottoms, tops)
        else:
            trace = self._apply(number)
            sources = {tensor.untyped_storage().data_ptr() for tensor in trace.bottoms}
            for top, tensor, kept in zip(layer.spec.tops, trace.tops, _kept(layer), strict=True):
                if not kept:
                    self._store(top, tensor, sources if top not in layer.spec.bottoms else set())
        weights = zip(layer.spec.tops, layer.spec.loss_weights, strict=True)
        return sum(weight * float(self.memory[top].numbers.tensor.sum()) for top, weight in weights if weight)

    def _around(self, layer: Layer) -> tuple[list[Blob], list[Blob]]:
        """Bottoms and tops for a user's class; what it writes is written in the net."""
        return [self.memory[name] for name in layer.spec.bottoms], [self.memory[name] for name in layer.spec.tops]

    def _apply(self, number: int) -> _Trace:
        """The layer's tops from what its bottoms hold now; where backward will pass, with their graph."""
        layer, traced = self.layers[number], self.reach.layers[number]
        bottoms = [self._read(name) for name in layer.spec.bottoms]
        params = [blob.numbers.tensor.to(mode.device()) for blob in self.param_memory[number]]
        if traced:
            for index, down in enumerate(self.reach.bottoms[number]):
                if layer.spec.bottoms[index] in layer.spec.tops:
                    bottoms[index] = bottoms[index].clone()  # the top will take its place in the blob
                bottoms[index].requires_grad_(down)
            for param, learns in zip(params, self.reach.params[number], strict=True):
                param.requires_grad_(learns)
        ours, layer.blobs = layer.blobs, params
        try:
            with torch.set_grad_enabled(traced):
                tops = list(layer.run(*bottoms))
        finally:
            layer.blobs = ours
        for blob, param in zip(self.param_memory[number], params, strict=True):
            if param.is_cuda and param._version:  # a layer keeps statistics in its parameters, here in a copy of them
                blob.numbers.put(param)
        trace = _Trace(bottoms=bottoms, params=params, tops=tops)
        if traced:
            self._traces[number] = trace
        return trace

    def _read(self, name: str) -> Tensor:
        numbers = self.memory[name].numbers
        tensor = numbers.tensor.to(mode.device())
        if numbers.seen and tensor.dim() == 4:
            return tensor.contiguous(memory_format=torch.channels_last)  # the fastest layout for convolutions on a CPU
        return tensor

    def _store(self, name: str, tensor: Tensor, sources: set[int]) -> None:
        """Keep a top; a layer that hands on its bottom's memory (Dropout in TEST phase) does not make them one."""
        numbers = self.memory[name].numbers
        shared = not numbers.seen and tensor.untyped_storage().data_ptr() in sources
        numbers.put(tensor.detach().clone() if shared else tensor)
        if self.memory[name].gradient.shape != numbers.shape:
            self.memory[name].gradient.resize(numbers.shape)

    # ---- backward ----

    def backward_range(self, first: int, last: int) -> None:
        """Run layers `first` down to `last`, both included: top diffs to bottom diffs, parameter diffs add up."""
        with torch.inference_mode(False):
            for number in range(first, last - 1, -1):
                self._call("before_backward", number)
                if self.reach.layers[number]:
                    self._backward(number)
                self._call("after_backward", number)

    def _backward(self, number: int) -> None:
        layer = self.layers[number]
        if isinstance(layer, Python):
            bottoms, tops = self._around(layer)
            layer.instance.backward(tops, self.reach.bottoms[number], bottoms)
            return
        trace = self._traces.get(number)
        if trace is None or not self._as_traced(layer, trace):
            trace = self._apply(number)
        wanted = [leaf for leaf in (*trace.bottoms, *trace.params) if leaf.requires_grad]
        gradients = iter(self._gradients_of(layer, trace, wanted))
        for name, leaf in zip(layer.spec.bottoms, trace.bottoms, strict=True):
            if leaf.requires_grad:
                gradient = next(gradients)
                self.memory[name].gradient.put(torch.zeros_like(leaf) if gradient is None else gradient)
        for blob, leaf in zip(self.param_memory[number], trace.params, strict=True):
            if leaf.requires_grad and (gradient := next(gradients)) is not None:
                blob.gradient.add(gradient)

    def _as_traced(self, layer: Layer, trace: _Trace) -> bool:
        """Whether the bottoms have the shapes that they had when the layer ran; a script may have given them others."""
        return all(
            tuple(tensor.shape) == self.memory[name].shape
            for name, tensor in zip(layer.spec.bottoms, trace.bottoms, strict=True)
        )

    def _gradients_of(self, layer: Layer, trace: _Trace, wanted: Sequence[Tensor]) -> Sequence[Tensor | None]:
        for name, top in zip(layer.spec.tops, trace.tops, strict=True):
            if top.requires_grad and tuple(top.shape) != self.memory[name].shape:
                raise layer.fail(
                    f"top '{name}' has shape {self.memory[name].shape}, expected {tuple(top.shape)}",
                    hint="run forward, or reshape, before backward",
                )
        seeds = [
            (top, self.memory[name].gradient.tensor.to(top.device).view(top.shape))
            for name, top in zip(layer.spec.tops, trace.tops, strict=True)
            if top.requires_grad
        ]
        if not seeds or not wanted:
            return [None] * len(wanted)
        tops, diffs = zip(*seeds, strict=True)
        found = torch.autograd.grad(tops, wanted, diffs, retain_graph=True, allow_unused=True)
        handed_on = {diff.untyped_storage().data_ptr() for diff in diffs}
        return [
            one.clone() if one is not None and one.untyped_storage().data_ptr() in handed_on else one for one in found
        ]

    # ---- parameters and shapes ----

    def clear_param_diffs(self) -> None:
        """Make the diffs of all parameters zero."""
        for blobs in self.param_memory:
            for blob in blobs:
                blob.gradient.clear()

    def reshape(self) -> None:
        """Give every blob the shape that follows from the inputs' shapes, without running.

        Raises:
            Refused: a shape does not fit a layer, or the parameters that it has.
        """
        for layer, blobs in zip(self.layers, self.param_memory, strict=True):
            if not layer.spec.bottoms and layer.spec.type != "Python":
                continue  # what brings numbers into the net is as large as the script has made it
            bottoms = [self.memory[name].shape for name in layer.spec.bottoms]
            with _as_raised():
                declared = layer.param_blobs(*bottoms)
            needed, have = [one.shape for one in declared], [blob.shape for blob in blobs]
            if needed != have:
                raise Refused(
                    f"layer '{layer.spec.name}' ({layer.spec.type}): bottoms of shapes {bottoms} need parameters of "
                    f"shapes {needed}, it has {have}"
                )
            with _as_raised():
                shapes = layer.top_shapes(*bottoms)
            for top, shape in zip(layer.spec.tops, shapes, strict=True):
                self.memory[top].reshape(*shape)

    def share_with(self, other: Running) -> None:
        """Use the other net's parameters, in its memory, for all layers of the same names.

        Raises:
            Refused: numbers or shapes of parameters differ.
        """
        first = {layer.spec.name: index for index, layer in reversed(list(enumerate(self.layers)))}
        for number, layer in enumerate(other.layers):
            mine = first.get(layer.spec.name)
            if mine is None:
                continue
            theirs, ours = other.param_memory[number], self.param_memory[mine]
            if [blob.shape for blob in theirs] != [blob.shape for blob in ours]:
                raise Refused(
                    f"layer '{layer.spec.name}': cannot share parameters of shapes {[blob.shape for blob in theirs]}, "
                    f"expected {[blob.shape for blob in ours]}"
                )
            for index, (blob, source) in enumerate(zip(ours, theirs, strict=True)):
                blob.numbers.alias(source.numbers)
                self.layers[mine].blobs[index].data = blob.numbers.tensor

    def _call(self, when: str, number: int) -> None:
        for callback in self.callbacks[when]:
            callback(number)


@contextmanager
def _as_raised() -> Iterator[None]:
    """Let exceptions of a user's class pass unchanged, as in pycaffe."""
    try:
        yield
    except UserCodeError as error:
        if isinstance(error.__cause__, Exception):
            raise error.__cause__ from None
        raise


def _kept(layer: Layer) -> list[bool]:
    """Tops that hold what they hold already: a Split's are its bottom, constants were written at the start."""
    return layer.constant if isinstance(layer, DummyData) else [layer.spec.type == "Split"] * len(layer.spec.tops)

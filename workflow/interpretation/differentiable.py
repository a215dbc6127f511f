"""A trained net as a function that torch can differentiate: the input blob in, every blob by its name out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import torch
from torch import Tensor, nn

from workflow.engines.base import Shape
from workflow.engines.torch_cpu.engine import Session
from workflow.errors import NetError, UsageError, did_you_mean
from workflow.layers import Layer
from workflow.models.model import Model, Pictures
from workflow.net.receptive import ReceptiveFields
from workflow.net.spec import LayerSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class Pass:
    """What one forward pass made, on autograd's tape; tensors are float32, their first axis the batch."""

    blobs: dict[str, Tensor]
    """As Caffe's blobs hold it at the end: layers in place have already changed them."""
    before: dict[str, Tensor]
    """As the layer that makes the blob gave it, before layers in place: conv2 with its negative values.

    After a whole backward pass `diff` of a Caffe blob is the gradient with respect to this one, though its `data` are
    those of `blobs` (src/caffe/net.cpp, Net::BackwardFromTo: a layer in place writes its bottom's diff over its top's).
    """
    cut: dict[str, LayerSpec]
    """Blobs that no gradient passes from to the input, and the layer that is to blame."""

    def tensor(self, name: str, *, before: bool = False) -> Tensor:
        """A blob that a gradient can flow from to the input.

        Raises:
            NetError: a layer between the two cannot be differentiated; it is named.
        """
        if name in self.cut:
            spec = self.cut[name]
            raise NetError(
                f"layer '{spec.name}' ({spec.type}) cannot be differentiated, so that blob '{name}' has no gradient "
                "with respect to the input",
                hint="ask for a blob before that layer",
            )
        return (self.before if before else self.blobs)[name]


class Differentiable(nn.Module):
    """A model's deploy net in TEST phase with frozen weights; each Caffe layer is one submodule.

    `propagate_down: false` is not obeyed, as `force_backward: true` has it in Caffe: whoever asks for a gradient
    wants it. Several pictures go through at once; their gradients do not mix, since no layer in TEST phase does.

    Attributes:
        model: what was loaded.
        names: the blobs in net order, without the copies that Caffe's automatic Split layers make.
        shapes: name -> shape for one picture, (1, C, H, W) or (1, C).
        fields: what a place of a blob sees of the input.
    """

    def __init__(self, model: Model, *, ignore: Sequence[str] = ()) -> None:
        """Open the model on the torch engine.

        Args:
            model: what was loaded.
            ignore: layers whose weights are not copied, see `Model.open`.

        Raises:
            NetError: X04, a layer type that the torch engine does not know, and so cannot differentiate; C02.
        """
        super().__init__()
        self.model = model
        try:
            net = cast(Session, model.open("torch", ignore=ignore)).net
        except NetError as error:
            if error.fault != "X04":
                raise
            raise NetError(
                f"{error.message}; without it there are no gradients", at=error.at or model.source, fault="X04"
            ) from error
        for parameter in net.learnable:
            parameter.tensor.requires_grad_(False)
        self._specs = [layer.spec for layer in net.layers]
        self._modules_of_layers = nn.ModuleList(_module(layer) for layer in net.layers)
        self._last = {top: index for index, spec in enumerate(self._specs) for top in spec.tops}
        made = {top for layer in net.layers if layer.spec.type == "Split" for top in layer.spec.tops}
        with torch.no_grad():
            blobs = self.run(torch.zeros((1, *model.transform.shape(model.preprocessing.shape)))).blobs
        self.names = tuple(name for name in blobs if name not in made)
        self.fields = ReceptiveFields(self._specs, {name: tuple(tensor.shape) for name, tensor in blobs.items()})
        self.shapes: dict[str, Shape] = {name: tuple(blobs[name].shape) for name in self.names}

    def blob(self, pictures: Pictures) -> Tensor:
        """The input blob for pictures of (C, H, W): float32 (N, C, h, w), mean subtracted."""
        return torch.from_numpy(self.model.blob(pictures))

    def run(self, x: Tensor, *, until: Collection[str] = (), held: Mapping[str, Tensor] | None = None) -> Pass:
        """One forward pass.

        Args:
            x: the input blob, float32 (N, C, H, W).
            until: stop when the last of these blobs is what it will be; nothing named runs the whole net.
            held: blob, not the input -> what the layers behind it read in place of what the net computed.

        Raises:
            UsageError: I02, no blob of a name in `until` or `held`.
        """
        held = {self.known(name): tensor for name, tensor in (held or {}).items()}
        end = max((self._last[self.known(name)] for name in until), default=len(self._specs) - 1)
        made = Pass(blobs={}, before={}, cut={})
        steps = zip(self._specs[: end + 1], self._modules_of_layers, strict=False)
        for index, (spec, module) in enumerate(steps):
            if spec.type == "Input":
                made.blobs[self.model.input] = x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
                made.before[self.model.input] = made.blobs[self.model.input]
                continue
            tops = module(*(made.blobs[bottom] for bottom in spec.bottoms))
            for top, tensor in zip(spec.tops, (tops,) if isinstance(tops, Tensor) else tops, strict=True):
                _note_cut(made, spec, top, tensor)
                made.blobs[top] = held[top] if top in held and index == self._last[top] else tensor
                made.before.setdefault(top, tensor)
        return made

    def forward(self, x: Tensor) -> Tensor:
        """The net's probabilities, its last blob if there is no Softmax layer."""
        return self.run(x).blobs[self.model.output or self.names[-1]]

    def layer_module(self, blob: str) -> nn.Module:
        """The submodule whose output is what the blob holds at the end: the last layer that makes or changes it."""
        return self._modules_of_layers[self._last[self.known(blob)]]

    def known(self, blob: str) -> str:
        """The name itself.

        Raises:
            UsageError: I02, the net has no such blob.
        """
        if blob not in self._last:
            raise UsageError(f"no blob '{blob}'", hint=did_you_mean(blob, list(self.names)), fault="I02")
        return blob

    def is_map(self, blob: str) -> bool:
        """Whether a blob has channels of more than one place."""
        shape = self.shapes[self.known(blob)]
        return len(shape) == 4 and shape[2] * shape[3] > 1

    @cached_property
    def convolutions(self) -> tuple[str, ...]:
        """The tops of Convolution layers, in net order."""
        return tuple(top for spec in self._specs if spec.type == "Convolution" for top in spec.tops)

    def depends(self, blob: str, other: str) -> bool:
        """Whether `blob` is computed from what `other` holds at the end, or is the same."""
        reached = {self.known(other)}
        for spec in self._specs[self._last[other] + 1 : self._last[self.known(blob)] + 1]:
            if reached.intersection(spec.bottoms):
                reached.update(spec.tops)
        return blob in reached

    def scores(self) -> str:
        """The blob of class scores: what the Softmax layer reads; where there is none, the last blob.

        Raises:
            NetError: it does not hold one number for each class.
        """
        output = self.model.output
        scores = self.names[-1]
        if output is not None:
            scores = next(spec.bottoms[0] for spec in reversed(self._specs) if output in spec.tops)
            scores = self._unsplit(scores)
        shape = self.shapes[scores]
        if len(shape) < 2 or shape[1] != int(torch.Size(shape[1:]).numel()):
            raise NetError(f"blob '{scores}' is {shape}, expected one number for each class", at=self.model.source)
        return scores

    def _unsplit(self, blob: str) -> str:
        """The blob that an automatic Split layer copied."""
        copied = {top: spec.bottoms[0] for spec in self._specs if spec.type == "Split" for top in spec.tops}
        return copied.get(blob, blob)


def gradients(run: Pass, value: Tensor, blobs: Collection[str], *, before: bool = False) -> Mapping[str, Tensor]:
    """The gradient of a number with respect to blobs of the pass that it was computed from.

    Args:
        run: the pass; its input needs `requires_grad`.
        value: one number, such as the sum of `Target.value` over the batch.
        blobs: names; the input blob is one.
        before: with respect to what the blobs were before layers in place, which is what Caffe's `diff` holds.

    Returns:
        Name -> float32 of the blob's shape, zeros where `value` does not depend on it.

    Raises:
        NetError: a layer that cannot be differentiated, named.
    """
    tensors = [run.tensor(name, before=before) for name in blobs]
    found = torch.autograd.grad(value, tensors, retain_graph=True, allow_unused=True)
    return {
        name: torch.zeros_like(tensor) if one is None else one
        for name, tensor, one in zip(blobs, tensors, found, strict=True)
    }


class _Step(nn.Module):
    """One Caffe layer, as a module that hooks can be put on."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, *bottoms: Tensor) -> Tensor | tuple[Tensor, ...]:
        tops = self.layer.forward(*bottoms)
        if isinstance(tops, Tensor):
            return tops
        if self.layer.spec.type == "Split":  # a tensor of its own for each copy, so that each has its own gradient
            return tuple(top.view_as(top) for top in tops)
        return tops[0] if len(tops) == 1 else tuple(tops)


def _module(layer: Layer) -> nn.Module:
    """Plain ReLUs are torch's own modules: guided backpropagation looks for them."""
    if layer.spec.type == "ReLU" and not layer.message.relu_param.negative_slope:
        return nn.ReLU()
    return _Step(layer)


def _note_cut(made: Pass, spec: LayerSpec, top: str, tensor: Tensor) -> None:
    if tensor.requires_grad or not torch.is_grad_enabled():
        return
    for bottom in spec.bottoms:
        if bottom in made.cut:
            made.cut[top] = made.cut[bottom]
        elif made.blobs[bottom].requires_grad:
            made.cut[top] = spec

"""A forward pass on autograd's tape: every layer a module that hooks can be put on, every blob by its name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workflow.engines.torch_cpu.net import Net
from workflow.errors import NetError
from workflow.layers import Layer
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
    """Blobs from which no gradient reaches the input, and the layer that is the cause."""

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


class DifferentiableLayers(nn.Module):
    """The layers of a net with frozen weights, each one submodule.

    `propagate_down: false` is ignored, as with `force_backward: true` in Caffe: whoever asks for a gradient
    wants it.

    Attributes:
        specs: the layers as planned, in net order.
        last: blob -> number of the last layer that makes or changes it.
        modules_of_layers: a module for each layer.
    """

    def __init__(self, net: Net, source: str) -> None:
        """Freeze the net's weights.

        Args:
            net: in TEST phase.
            source: the input blob.
        """
        super().__init__()
        for parameter in net.learnable:
            parameter.tensor.requires_grad_(False)
        self.source = source
        self.specs = [layer.spec for layer in net.layers]
        self.last = {top: index for index, spec in enumerate(self.specs) for top in spec.tops}
        self.modules_of_layers = nn.ModuleList(_module(layer) for layer in net.layers)

    def run(self, x: Tensor, *, end: int | None = None, held: Mapping[str, Tensor] | None = None) -> Pass:
        """One forward pass.

        Args:
            x: the input blob, float32 (N, C, H, W).
            end: number of the last layer to run; the whole net if None.
            held: blob, not the input -> values that the following layers read in place of the computed ones.
        """
        held = held or {}
        count = len(self.specs) if end is None else end + 1
        made = Pass(blobs={}, before={}, cut={})
        for index, (spec, module) in enumerate(zip(self.specs[:count], self.modules_of_layers, strict=False)):
            if spec.type == "Input":
                made.blobs[self.source] = x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
                made.before[self.source] = made.blobs[self.source]
                continue
            tops = module(*(made.blobs[bottom] for bottom in spec.bottoms))
            for top, tensor in zip(spec.tops, (tops,) if isinstance(tops, Tensor) else tops, strict=True):
                _note_cut(made, spec, top, tensor)
                made.blobs[top] = held[top] if top in held and index == self.last[top] else tensor
                made.before.setdefault(top, tensor)
        return made


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

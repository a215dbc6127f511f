"""A trained net as a differentiable torch function: the input blob in, all blobs out by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import cast

import torch
from torch import Tensor, nn

from workflow.engines.base import Shape
from workflow.engines.torch_cpu.engine import Session
from workflow.engines.torch_cpu.passes import DifferentiableLayers, Pass
from workflow.errors import NetError, UsageError, did_you_mean
from workflow.models.model import Model, Pictures
from workflow.net.receptive import ReceptiveFields


class Differentiable(nn.Module):
    """A model's deploy net in TEST phase with frozen weights; each Caffe layer is one submodule.

    `propagate_down: false` is ignored, as with `force_backward: true` in Caffe: whoever asks for a gradient
    wants it. Several pictures go through at once; their gradients do not mix, since no layer in TEST phase does.

    Attributes:
        model: what was loaded.
        names: the blobs in net order, without the copies that Caffe's automatic Split layers make.
        shapes: name -> shape for one picture, (1, C, H, W) or (1, C).
        fields: receptive field of a place of a blob in the input.
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
        self._layers = DifferentiableLayers(net, model.input)
        made = {top for layer in net.layers if layer.spec.type == "Split" for top in layer.spec.tops}
        with torch.no_grad():
            blobs = self.run(torch.zeros((1, *model.transform.shape(model.preprocessing.shape)))).blobs
        self.names = tuple(name for name in blobs if name not in made)
        self.fields = ReceptiveFields(self._layers.specs, {name: tuple(tensor.shape) for name, tensor in blobs.items()})
        self.shapes: dict[str, Shape] = {name: tuple(blobs[name].shape) for name in self.names}

    def blob(self, pictures: Pictures) -> Tensor:
        """The input blob for pictures of (C, H, W): float32 (N, C, h, w), mean subtracted."""
        return torch.from_numpy(self.model.blob(pictures))

    def run(self, x: Tensor, *, until: Collection[str] = (), held: Mapping[str, Tensor] | None = None) -> Pass:
        """One forward pass.

        Args:
            x: the input blob, float32 (N, C, H, W).
            until: stop when the last of these blobs is final; empty runs the whole net.
            held: blob, not the input -> values that the following layers read in place of the computed ones.

        Raises:
            UsageError: I02, no blob of a name in `until` or `held`.
        """
        held = {self.known(name): tensor for name, tensor in (held or {}).items()}
        end = max((self._layers.last[self.known(name)] for name in until), default=None)
        return self._layers.run(x, end=end, held=held)

    def forward(self, x: Tensor) -> Tensor:
        """The net's probabilities, its last blob if there is no Softmax layer."""
        return self.run(x).blobs[self.model.output or self.names[-1]]

    def layer_module(self, blob: str) -> nn.Module:
        """The submodule whose output is what the blob holds at the end: the last layer that makes or changes it."""
        return self._layers.modules_of_layers[self._layers.last[self.known(blob)]]

    def known(self, blob: str) -> str:
        """The name itself.

        Raises:
            UsageError: I02, the net has no such blob.
        """
        if blob not in self._layers.last:
            raise UsageError(f"no blob '{blob}'", hint=did_you_mean(blob, list(self.names)), fault="I02")
        return blob

    def is_map(self, blob: str) -> bool:
        """Whether a blob has channels of more than one place."""
        shape = self.shapes[self.known(blob)]
        return len(shape) == 4 and shape[2] * shape[3] > 1

    @cached_property
    def convolutions(self) -> tuple[str, ...]:
        """The tops of Convolution layers, in net order."""
        return tuple(top for spec in self._layers.specs if spec.type == "Convolution" for top in spec.tops)

    def depends(self, blob: str, other: str) -> bool:
        """Whether `blob` is computed from what `other` holds at the end, or is the same."""
        reached = {self.known(other)}
        for spec in self._layers.specs[self._layers.last[other] + 1 : self._layers.last[self.known(blob)] + 1]:
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
            scores = next(spec.bottoms[0] for spec in reversed(self._layers.specs) if output in spec.tops)
            scores = self._unsplit(scores)
        shape = self.shapes[scores]
        if len(shape) < 2 or shape[1] != int(torch.Size(shape[1:]).numel()):
            raise NetError(f"blob '{scores}' is {shape}, expected one number for each class", at=self.model.source)
        return scores

    def _unsplit(self, blob: str) -> str:
        """The blob that an automatic Split layer copied."""
        copied = {top: spec.bottoms[0] for spec in self._layers.specs if spec.type == "Split" for top in spec.tops}
        return copied.get(blob, blob)

"""What a solver needs of a net."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from workflow.engines.torch_cpu.parameters import Parameter
from workflow.formats import caffe_pb2
from workflow.layers import Layer
from workflow.net.spec import NetSpec


class Trainable(Protocol):
    """A net that a solver trains or tests: `torch_cpu.Net`, or a net of pycaffe."""

    @property
    def spec(self) -> NetSpec:
        """The net as planned."""
        ...

    @property
    def layers(self) -> Sequence[Layer]:
        """In net order."""
        ...

    @property
    def learnable(self) -> Sequence[Parameter]:
        """The parameters in Caffe's order, each shared one once."""
        ...

    @property
    def blobs(self) -> Mapping[str, Tensor]:
        """Name -> tensor after the last forward pass."""
        ...

    def run(self) -> Tensor:
        """One forward pass; returns the loss."""
        ...

    def start_at(self, position: int) -> None:
        """The next forward pass has this number: with the seed it decides what random layers draw."""
        ...

    def copy_from(self, source: caffe_pb2.NetParameter, /, *, known: Collection[str] | None = None) -> None:
        """See `Built.copy_from`."""
        ...

    def message(self, *, gradients: bool = False) -> caffe_pb2.NetParameter:
        """See `Built.message`."""
        ...

    def close(self) -> None:
        """Close databases."""
        ...


N = TypeVar("N", bound=Trainable)


class MakeNet(Protocol[N]):
    """A function that builds a solver's nets."""

    def __call__(
        self, spec: NetSpec, /, *, seed: int, folder: Path | None, like: N | None, device: torch.device | None
    ) -> N:
        """See `Net`."""
        ...

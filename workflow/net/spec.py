"""A net as frozen records of layers and their connections, for one phase. Uses neither arrays nor torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from workflow.formats import caffe_pb2

Phase = Literal["TRAIN", "TEST"]


@dataclass(frozen=True, kw_only=True)
class ParamSpec:
    """The `param { }` block of a parameter blob (caffe.proto, ParamSpec)."""

    name: str = ""
    """Blobs of equal non-empty names are shared between layers."""
    lr_mult: float | None = None
    """None where not said: 1, unless a sharer says otherwise."""
    decay_mult: float | None = None
    permissive: bool = False
    """Shared blobs need equal counts only, not equal shapes."""


@dataclass(frozen=True, kw_only=True)
class LayerSpec:
    """One layer as it will run: rules applied, bottoms renamed to the outputs of inserted Split layers."""

    name: str
    type: str
    bottoms: tuple[str, ...] = ()
    tops: tuple[str, ...] = ()
    params: tuple[ParamSpec, ...] = ()
    loss_weights: tuple[float, ...] = ()
    """One for each top; 1 for the first top of a loss layer that says nothing, else 0."""
    phase: Phase = "TEST"
    propagate_down: tuple[bool, ...] = ()
    message: caffe_pb2.LayerParameter = field(repr=False, compare=False)
    """The layer's own settings, such as `message.convolution_param`; `blobs` may hold initial values."""


@dataclass(frozen=True, kw_only=True)
class NetSpec:
    """A net's layers in the order they run, filtered for one phase, with Split layers inserted.

    Made by `workflow.net.build.build`; a spec that exists is wired correctly.
    """

    name: str
    phase: Phase
    layers: tuple[LayerSpec, ...]
    inputs: tuple[str, ...]
    """Tops of Input layers, in order."""
    outputs: tuple[str, ...]
    """Tops that nothing consumes, sorted (Caffe's order of `Test net output #k`)."""
    force_backward: bool = False
    source: Path | None = None

    def layer(self, name: str) -> LayerSpec:
        """The first layer of that name (KeyError if there is none)."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)

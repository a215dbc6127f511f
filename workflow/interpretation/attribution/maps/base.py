"""The interface of attribution methods, and their registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from workflow.errors import UsageError, did_you_mean
from workflow.interpretation.targets import Score
from workflow.layers.randomness import drawing
from workflow.silence import silenced

_METHODS: dict[str, Method] = {}

BATCH = 100
"""Altered copies of a picture that go through the net at once: more take memory and no less time."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The user's options; each method uses those that apply to it."""

    layer: str | None = None
    """The blob that Grad-CAM looks at; None is the last blob with a map before the target."""
    seed: int = 0
    """Seed of the noise that SmoothGrad adds."""


class Compute(Protocol):
    """The function of a method."""

    def __call__(self, score: Score, x: Tensor, options: Options, /) -> Tensor:
        """The share of each input value, (N, C, H, W), or of each place, (N, 1, H, W), for pictures (N, C, H, W)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method of attribution."""

    name: str
    signed: bool
    """Whether a negative share means something: evidence against the target."""
    source: str
    """The paper."""
    compute: Compute

    def __call__(self, score: Score, x: Tensor, options: Options | None = None) -> Tensor:
        """The map of the method.

        Args:
            score: the target as a function of the input blob.
            x: the input blob, float32 (N, C, H, W).
            options: see `Options`.

        Returns:
            float32 (N, C, H, W), or (N, 1, H, W) from methods that know places only; detached.

        Raises:
            NetError: a layer on the way cannot be differentiated; it is named.
            UsageError: the options do not fit the net.
        """
        score(x[:1].detach().requires_grad_())  # the error that names the layer, rather than captum's
        leaf = x.detach().clone().requires_grad_()
        with _captum_silent():
            return self.compute(score, leaf, options or Options()).detach()

    def heat(self, values: Tensor) -> Tensor:
        """One number for each place, (N, H, W).

        Over the channels of the input: their sum for signed maps (shares add up), else the greatest magnitude
        (Simonyan et al. 2013, section 3.1). So it is for a net of one channel, too.
        """
        return values.sum(1) if self.signed else values.abs().amax(1)


def method(name: str, *, signed: bool, source: str) -> Callable[[Compute], Compute]:
    """Register a function as the method of that name."""

    def register(compute: Compute) -> Compute:
        if name in _METHODS:
            raise ValueError(f"method {name} is registered twice")
        _METHODS[name] = Method(name=name, signed=signed, source=source, compute=compute)
        return compute

    return register


def methods() -> list[str]:
    """The names of all methods, sorted."""
    return sorted(_METHODS)


def known(name: str) -> Method:
    """The method of that name.

    Raises:
        UsageError: there is none; the hint names the nearest.
    """
    if name not in _METHODS:
        raise UsageError(f"no method '{name}'", hint=did_you_mean(name, methods()))
    return _METHODS[name]


@contextmanager
def _captum_silent() -> Iterator[None]:
    """Silence Captum, which reports every hook; and keep its random draws from changing the caller's."""
    with silenced(), drawing():
        yield

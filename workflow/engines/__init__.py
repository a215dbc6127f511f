"""The engines that can run a Caffe net; `get` returns one by name and imports only what it needs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from workflow.errors import EngineMissing, UsageError, did_you_mean

if TYPE_CHECKING:
    from workflow.engines.base import Engine
    from workflow.formats import caffe_pb2

_PACKAGES = {"torch": "torch_cpu", "caffe": "bvlc", "numpy": "numpy_cpu"}

INSTALL = "install wf again: scripts/install, or pip install wf"
"""What helps where an engine's package is not installed, or damaged."""

SMALL_JOB = 2_000
"""Pictures that numpy has labelled by the time PyTorch, four times as quick at each, is imported and done."""


def names() -> tuple[str, ...]:
    """The engines there are, the default of training first."""
    return tuple(_PACKAGES)


def get(name: str) -> Engine:
    """The engine of that name; its package, and PyTorch with it, is imported only here.

    Raises:
        UsageError: there is no such engine.
        EngineMissing: the package that computes is not installed, or damaged.
    """
    if name not in _PACKAGES:
        hint = did_you_mean(name, names())
        raise UsageError(f"no engine '{name}'; there are: {', '.join(names())}", hint=hint)
    try:
        engine: Engine = import_module(f"workflow.engines.{_PACKAGES[name]}.engine").Engine()
    except ImportError as error:
        raise EngineMissing(f"the engine '{name}' cannot be imported: {error}", hint=INSTALL) from error
    return engine


def choose(net: caffe_pb2.NetParameter, asked: str | None = None, *, images: int = 1) -> Engine:
    """The engine for inspecting pictures, see `chosen`.

    Raises:
        UsageError: there is no engine of the name that was asked for.
    """
    return get(chosen(net, asked, images=images))


def chosen(net: caffe_pb2.NetParameter, asked: str | None = None, *, images: int = 1) -> str:
    """The name of the engine for inspecting pictures: the requested one, or the fastest for this job.

    Args:
        net: the net, upgraded.
        asked: an engine's name; None leaves the choice: numpy for a small job when it knows every layer of the
            net, torch otherwise.
        images: how many pictures there are.
    """
    if asked is not None:
        return asked
    from workflow.engines.numpy_cpu import knows

    return "numpy" if images <= SMALL_JOB and knows(net) else "torch"

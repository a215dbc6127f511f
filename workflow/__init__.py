"""Prepare pictures, train small Caffe networks on a CPU, and inspect what they see.

    from workflow import Project

    Project("mybot").snapshot("best").twin("false.png")

Importing the package loads nothing: `Project` and `Snapshot` are loaded when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflow.version import __version__

if TYPE_CHECKING:
    from workflow.api import Project, Snapshot

__all__ = ["Project", "Snapshot", "__version__"]


def __getattr__(name: str) -> Any:
    if name not in ("Project", "Snapshot"):
        raise AttributeError(f"module 'workflow' has no attribute '{name}'")
    from workflow import api

    return getattr(api, name)

"""Import PyTorch without its kernels for tensors that have no numbers: a fifth of the import, and rarely needed.

PyTorch registers these kernels, which are written in Python, whenever it is imported. They tell shapes without
computing, for its compiler and for tensors on the device `meta`. The processes that wf starts leave them out until
they are asked for; where wf is a library in another process, PyTorch is imported as ever.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType

_NAME = "torch._meta_registrations"


class _Finder:
    """Gives PyTorch an empty module where it imports the kernels; finder and loader, as importlib asks for them."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        del path, target
        return ModuleSpec(fullname, self) if fullname == _NAME else None  # type: ignore[arg-type]  # by duck typing

    def create_module(self, spec: ModuleSpec) -> None:
        del spec

    def exec_module(self, module: ModuleType) -> None:
        del module
        import_module("torch._prims.rng_prims")  # the kernels import it, and torch.Generator needs it


_finder = _Finder()


def leave_out_shape_kernels() -> None:
    """Let the PyTorch that this process will import do without them; nothing if it is imported already."""
    if "torch" not in sys.modules and _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def import_shape_kernels() -> None:
    """Import them if they were left out: before the first tensor on the device `meta`."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
        if sys.modules.pop(_NAME, None) is not None:
            import_module(_NAME)

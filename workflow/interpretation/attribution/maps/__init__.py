"""Maps on the input, one method a file, each registered by its decorator when this room is imported."""

from __future__ import annotations

import importlib
import pkgutil

from workflow.interpretation.attribution.maps.base import Method, Options, known, method, methods

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["Method", "Options", "known", "method", "methods"]

"""Attribution maps, one method per file, each registered by its decorator on import.

A method imports Captum when it is called: pyplot and IPython come with it, half a second.
"""

from __future__ import annotations

import importlib
import pkgutil

from workflow.interpretation.attribution.maps.base import Method, Options, known, method, methods

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["Method", "Options", "known", "method", "methods"]

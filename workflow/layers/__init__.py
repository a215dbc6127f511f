"""Caffe's layer types on torch: one per file, each registered by its decorator on import."""

from __future__ import annotations

import importlib
import pkgutil

from workflow.layers.base import Layer, ParamBlob, create, layer, layer_types

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["Layer", "ParamBlob", "create", "layer", "layer_types"]

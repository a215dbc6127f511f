"""Caffe's layers as ONNX nodes; each module registers its own when this room is imported."""

from __future__ import annotations

from workflow.export.layers import channels, units, windows
from workflow.export.layers.base import translate, types

__all__ = ["channels", "translate", "types", "units", "windows"]

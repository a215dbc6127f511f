"""The numpy engine: forward only, fast to import, and an independent check of the other two."""

from __future__ import annotations

from workflow.engines.numpy_cpu.engine import Engine, knows
from workflow.engines.numpy_cpu.layers import layer_types
from workflow.engines.numpy_cpu.session import Session

__all__ = ["Engine", "Session", "knows", "layer_types"]

"""Caffe nets and solvers on PyTorch."""

from workflow.engines.torch_cpu.engine import Engine, Session
from workflow.engines.torch_cpu.net import Net
from workflow.engines.torch_cpu.solver import Solver

__all__ = ["Engine", "Net", "Session", "Solver"]

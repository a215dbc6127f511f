"""pycaffe on PyTorch: `from workflow import pycaffe as caffe` runs scripts written for Caffe's Python module.

Differences from BVLC Caffe 1.0: errors are exceptions (`workflow.errors.WorkflowError`) where Caffe ends the process;
random numbers are PyTorch's; nets run on PyTorch's threads.
"""

from __future__ import annotations

from workflow.formats.caffe_pb2 import TEST, TRAIN
from workflow.layers import layer_types as layer_type_list
from workflow.layers.blob import Blob
from workflow.layers.python_layer import UserLayer as Layer
from workflow.pycaffe import coord_map, draw, io, proto
from workflow.pycaffe.classifier import Classifier
from workflow.pycaffe.detector import Detector
from workflow.pycaffe.log import init_log, log
from workflow.pycaffe.mode import set_device, set_mode_cpu, set_mode_gpu, set_random_seed
from workflow.pycaffe.net import Net
from workflow.pycaffe.net_spec import NetSpec, layers, params, to_proto
from workflow.pycaffe.parallel import (
    NCCL,
    has_nccl,
    set_multiprocess,
    set_solver_count,
    set_solver_rank,
    solver_count,
    solver_rank,
)
from workflow.pycaffe.solver import (
    AdaDeltaSolver,
    AdaGradSolver,
    AdamSolver,
    NesterovSolver,
    RMSPropSolver,
    SGDSolver,
    get_solver,
)
from workflow.pycaffe.timer import Timer

__version__ = "1.0.0"

__all__ = [
    "NCCL",
    "TEST",
    "TRAIN",
    "AdaDeltaSolver",
    "AdaGradSolver",
    "AdamSolver",
    "Blob",
    "Classifier",
    "Detector",
    "Layer",
    "NesterovSolver",
    "Net",
    "NetSpec",
    "RMSPropSolver",
    "SGDSolver",
    "Timer",
    "coord_map",
    "draw",
    "get_solver",
    "has_nccl",
    "init_log",
    "io",
    "layer_type_list",
    "layers",
    "log",
    "params",
    "proto",
    "set_device",
    "set_mode_cpu",
    "set_mode_gpu",
    "set_multiprocess",
    "set_random_seed",
    "set_solver_count",
    "set_solver_rank",
    "solver_count",
    "solver_rank",
    "to_proto",
]

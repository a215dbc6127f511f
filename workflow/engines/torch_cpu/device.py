"""Choose the device of a net: the CPU, or a GPU if requested."""

from __future__ import annotations

import logging

import torch

from workflow.errors import EngineMissing
from workflow.formats import caffe_pb2

_GPU = caffe_pb2.SolverParameter.GPU


def resolve(asked: str | None, param: caffe_pb2.SolverParameter) -> torch.device:
    """The device of a run.

    Args:
        asked: `cpu` or `cuda`, which beat the solver; None leaves it to the solver.
        param: a written `solver_mode: GPU` asks for the GPU `device_id`; one that is not written does not, though
            GPU is Caffe's default for it: what Caffe built without GPU does then is to run on the CPU, too.

    Raises:
        EngineMissing: `cuda` was asked for, and PyTorch sees no GPU, or none of that number. A solver that asks for
            without one, a warning is given and the CPU is used: most old solver files say GPU.
    """
    written = param.HasField("solver_mode") and param.solver_mode == _GPU
    if asked == "cpu" or (asked is None and not written):
        return torch.device("cpu")
    lacking = _lacking(param.device_id)
    if lacking is None:
        return gpu(param.device_id)
    if asked is None:
        logging.getLogger("workflow").warning("solver_mode is GPU, but %s; running on the CPU", lacking)
        return torch.device("cpu")
    raise EngineMissing(
        f"--device cuda: {lacking}",
        hint="--device cpu runs the same here; a GPU needs PyTorch built for CUDA and NVIDIA's driver",
    )


def gpu(number: int) -> torch.device:
    """CUDA device `number`; from now on the process computes on it as exactly as on a CPU, and deterministically.

    PyTorch's own defaults round the products of convolutions to 10 bits (TF32), and let cuDNN choose algorithms that
    add up in any order.
    """
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    return torch.device("cuda", number)


def _lacking(number: int) -> str | None:
    """Why GPU `number` cannot be used."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        return f"PyTorch {torch.__version__} sees no GPU"
    return None if number < count else f"device_id is {number}, and PyTorch sees GPUs 0 to {count - 1}"

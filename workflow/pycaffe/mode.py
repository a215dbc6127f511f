"""Device and random seed: the settings that pycaffe keeps for the whole process."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from workflow.engines.torch_cpu.device import gpu
from workflow.errors import EngineMissing
from workflow.pycaffe.refusals import Refused


@dataclass
class _Settings:
    gpu: bool = False
    device: int = 0
    generator: torch.Generator = field(default_factory=torch.Generator)
    seeded: bool = False


_settings = _Settings()


def set_mode_cpu() -> None:
    """Run nets on the CPU from now on (the default)."""
    _settings.gpu = False


def set_mode_gpu() -> None:
    """Run nets on the CUDA device of `set_device` from now on.

    Raises:
        EngineMissing: PyTorch sees no CUDA device here.
    """
    _require_cuda("set_mode_gpu")
    gpu(_settings.device)  # now, not for each layer: from here on the process computes exactly
    _settings.gpu = True


def set_device(device_id: int) -> None:
    """Choose the CUDA device that `set_mode_gpu` means.

    Raises:
        EngineMissing: PyTorch sees no CUDA device here.
        Refused: there is no device of that number.
    """
    _require_cuda("set_device")
    count = torch.cuda.device_count()
    if not 0 <= device_id < count:
        raise Refused(f"set_device: device {device_id}, expected 0 to {count - 1}")
    _settings.device = device_id


def set_random_seed(seed: int) -> None:
    """Seed all randomness of nets built from now on.

    The distributions are Caffe's, the numbers drawn are PyTorch's.
    """
    _settings.generator.manual_seed(seed)
    _settings.seeded = True


def device() -> torch.device:
    """The device that layers run on."""
    return torch.device("cuda", _settings.device) if _settings.gpu else torch.device("cpu")


def draw_seed() -> int:
    """A seed for the next net, 0..2**31-1: each net another one, all of them decided by `set_random_seed`."""
    if not _settings.seeded:
        _settings.generator.seed()
        _settings.seeded = True
    return int(torch.randint(0, 2**31, (), generator=_settings.generator))


def _require_cuda(what: str) -> None:
    if not torch.cuda.is_available():
        raise EngineMissing(
            f"{what}: PyTorch {torch.__version__} sees no CUDA device",
            hint="caffe.set_mode_cpu() runs the same net here; a GPU needs PyTorch built for CUDA and its driver",
        )

"""How parameters are filled before training.

Source: include/caffe/filler.hpp. The distributions are Caffe's; the numbers drawn are torch's, so a run of ours and
one of Caffe's with the same random_seed start from different weights of the same kind.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from workflow.errors import NetError, did_you_mean
from workflow.formats import caffe_pb2

FILLERS = ("bilinear", "constant", "gaussian", "msra", "positive_unitball", "uniform", "xavier")
_Filler = caffe_pb2.FillerParameter


def fill(blob: Tensor, filler: _Filler, generator: torch.Generator) -> None:
    """Fill a float32 tensor in place.

    Args:
        blob: any shape; msra and xavier take fan_in = count / shape[0] and fan_out = count / shape[1].
        filler: the `weight_filler { }` block; its type is `constant` if not said.
        generator: where random numbers come from.

    Raises:
        NetError: unknown type, gaussian with std 0, sparse without two axes, bilinear on a blob that is not
            4-D with square windows.
    """
    match filler.type:
        case "constant":
            blob.fill_(filler.value)
        case "uniform":
            blob.uniform_(filler.min, filler.max, generator=generator)
        case "gaussian":
            _gaussian(blob, filler, generator)
        case "xavier":
            limit = math.sqrt(3.0 / _fan(blob, filler))
            blob.uniform_(-limit, limit, generator=generator)
        case "msra":
            blob.normal_(0.0, math.sqrt(2.0 / _fan(blob, filler)), generator=generator)
        case "positive_unitball":
            rows = blob.uniform_(0.0, 1.0, generator=generator).view(blob.shape[0], -1)  # (dim 0, all others)
            rows /= rows.sum(dim=1, keepdim=True)
        case "bilinear":
            _bilinear(blob)
        case unknown:
            raise NetError(f"filler type '{unknown}' is unknown", hint=did_you_mean(unknown, FILLERS))


def _gaussian(blob: Tensor, filler: _Filler, generator: torch.Generator) -> None:
    if filler.std <= 0:
        raise NetError(f"gaussian filler with std {filler.std:g}, expected more than 0")
    blob.normal_(filler.mean, filler.std, generator=generator)
    if filler.sparse >= 0:
        if blob.dim() < 2:
            raise NetError(f"sparse gaussian filler on a blob with {blob.dim()} axes, expected at least 2")
        keep = min(1.0, filler.sparse / blob.shape[0])
        blob *= torch.empty_like(blob).bernoulli_(keep, generator=generator)


def _fan(blob: Tensor, filler: _Filler) -> float:
    fan_in = blob.numel() / blob.shape[0]
    fan_out = blob.numel() / blob.shape[1] if blob.dim() > 1 else float(blob.numel())
    match filler.variance_norm:
        case _Filler.FAN_OUT:
            return fan_out
        case _Filler.AVERAGE:
            return (fan_in + fan_out) / 2
        case _:
            return fan_in


def _bilinear(blob: Tensor) -> None:
    if blob.dim() != 4 or blob.shape[2] != blob.shape[3]:
        raise NetError(f"bilinear filler on a blob of shape {tuple(blob.shape)}, expected 4-D with square windows")
    size = blob.shape[3]
    factor = math.ceil(size / 2)
    centre = (size - 1) / (2 * factor)
    ramp = 1 - (torch.arange(size, dtype=torch.float32) / factor - centre).abs()
    blob.copy_(ramp[:, None] * ramp[None, :])

"""Fields that forks of Caffe added to its messages: applied, ignored with a warning, or refused by name.

Sources: the caffe.proto of NVIDIA's and Intel's forks, and of those behind SSD, SegNet and Ristretto; for `ceil_mode`
that of Synopsys' fork, which takes pull request 3057 of BVLC/caffe.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message
from msgspec import Struct

from workflow.formats import caffe_pb2
from workflow.formats.outline import Entry

_ANYWHERE = {"engine"}
"""Fields that choose a library; the result does not depend on them."""

_FORKED_ENGINE = re.compile(r"engine\s*:\s*(MKL2017|MKLDNN|DNNL)\b")
"""A value of the enum, without quotes."""

IGNORED = {
    "NetParameter": {
        "bn_stats_batch_size", "compile_net_state", "default_backward_math", "default_backward_type",
        "default_conv_algos_override", "default_cudnn_math_override", "default_forward_math", "default_forward_type",
        "eltwise_mem_share", "global_grad_scale", "global_grad_scale_adaptive", "multinode", "reduce_buckets",
    },
    "LayerParameter": {"backward_math", "backward_type", "cudnn_math_override", "forward_math", "forward_type"},
    "ConvolutionParameter": {"conv_algos_override", "cudnn_convolution_algo_seeker"},
    "DataParameter": {"cache", "parser_threads", "shuffle", "threads"},
    "ImageDataParameter": {"cache", "threads"},
    "TransformationParameter": {
        "distort_param", "emit_constraint", "expand_param", "noise_param", "random_seed", "use_gpu_transform",
    },
    "SolverParameter": {"ap_version", "eval_type", "show_per_class_result"},
}  # fmt: skip
"""Message -> fields that change speed, memory, messages or how training pictures vary, but no answer of a net."""

CHANGING = {
    "bn_param": "of SegNet",
    "crop_h": "for crops that are not square",
    "crop_w": "for crops that are not square",
    "quantization_param": "of Ristretto",
    "resize_param": "of SSD",
    "scale_bias": "of NVIDIA's Caffe",
    "use_weight_bias": "of Intel's Caffe",
}
"""Fields of forks that change what a net computes, in a way that is not known here -> whose they are."""


class ForkField(Struct, frozen=True, kw_only=True):
    """A field that no message of Caffe 1.0 has."""

    entry: Entry
    message: str
    """The name of the message that it is in."""

    @property
    def name(self) -> str:
        """The field's name."""
        return str(self.entry.path[-2])

    @property
    def obeyed(self) -> bool:
        """Whether `obey` translates it."""
        return (self.message, self.name) == ("PoolingParameter", "ceil_mode")

    @property
    def ignored(self) -> bool:
        """Whether answers do not depend on it."""
        return self.name in _ANYWHERE or self.name in IGNORED.get(self.message, ())


def find(entries: Sequence[Entry], kind: type[Message]) -> list[ForkField]:
    """The fields of a text that the message and its parts do not have, without what is inside of these."""
    found = []
    for entry in entries:
        parent: Any = kind.DESCRIPTOR
        for step in entry.path[:-2:2]:
            field = None if parent is None else parent.fields_by_name.get(str(step))
            parent = None if field is None else field.message_type
        if parent is not None and entry.path[-2] not in parent.fields_by_name:
            found.append(ForkField(entry=entry, message=parent.name))
    return found


def obey(message: Message, field: ForkField) -> None:
    """Translate a fork's field to Caffe 1.0: `ceil_mode: false` is `round_mode: FLOOR`."""
    part: Message = message
    steps = field.entry.path[:-2]
    for name, index in zip(steps[::2], steps[1::2], strict=True):
        value = getattr(part, str(name))
        part = value if isinstance(value, Message) else value[index]
    assert isinstance(part, caffe_pb2.PoolingParameter)  # noqa: S101 - see `obeyed`
    floor = (field.entry.value or "").lower() in ("false", "f", "0")
    part.round_mode = caffe_pb2.PoolingParameter.FLOOR if floor else caffe_pb2.PoolingParameter.CEIL


def without_engines(text: str, entries: Sequence[Entry]) -> str:
    """The text, of the same length, with engines that only a fork has replaced by the default."""
    for entry in entries:
        written = _FORKED_ENGINE.match(text, entry.offset)
        if written is not None:
            start, end = written.span(1)
            text = text[:start] + "0".ljust(end - start) + text[end:]
    return text


def hint(name: str) -> str | None:
    """The hint for a fork's field that is neither translated nor ignored; None for unknown names."""
    if name in CHANGING:
        return f"'{name}' is a field {CHANGING[name]}, which changes what the net computes; Caffe 1.0 does not have it"
    return None

"""Hints for unknown fields in a prototxt."""

from __future__ import annotations

from typing import Any

from workflow.errors import did_you_mean
from workflow.formats import caffe_pb2, forks


def unknown_field(message: str, name: str, outermost: str) -> str:
    """A hint: the closest field, or the block that such a field belongs in, or all the fields there are.

    Args:
        message: the message's name without the package, such as `ConvolutionParameter`.
        name: the field that it does not have.
        outermost: the name of the message that was asked for; a solver's file with a net's field is the wrong file.
    """
    from difflib import get_close_matches  # which only an error needs

    if name.isdigit():  # `base_lr: 0,01`: the comma ends the number
        return "a decimal number takes a point: 0.01"
    if (fork := forks.hint(name)) is not None:
        return fork
    known = _fields(message)
    close = get_close_matches(name, list(known), n=1, cutoff=0.75)  # what is less alike is another field
    if close:
        return f"did you mean '{close[0]}'?"
    if message == outermost:
        for other in (caffe_pb2.NetParameter, caffe_pb2.SolverParameter, caffe_pb2.LayerParameter):
            if name in other.DESCRIPTOR.fields_by_name and other.DESCRIPTOR.name != outermost:
                return f"'{name}' is a field of {other.DESCRIPTOR.name}: is this the right file?"
    blocks = [field for field, kind in known.items() if kind is not None and name in kind.fields_by_name]
    if blocks:
        return f"'{name}' belongs in {' or '.join(blocks)}"
    return f"known: {', '.join(sorted(known))}"


def unknown_value(enum: str, name: str) -> str:
    """A hint: the closest of an enum's values, such as those of `PoolingParameter.PoolMethod`, or all of them."""
    values = caffe_pb2.DESCRIPTOR.pool.FindEnumTypeByName(f"caffe.{enum}").values
    return did_you_mean(name, [value.name for value in values]) or ""


def _fields(message: str) -> dict[str, Any]:
    descriptor = caffe_pb2.DESCRIPTOR.message_types_by_name.get(message)
    return {} if descriptor is None else {field.name: field.message_type for field in descriptor.fields}

"""The parts of a run: the settings used from each iteration on.

A solver or a net that was edited between two `wf train` of one generation is used, and reported: the snapshots are then
not those of an unbroken run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from workflow.errors import WorkflowError
from workflow.formats import caffe_pb2, prototxt
from workflow.generations import Generation
from workflow.generations.record import Part
from workflow.training.outputs import plain

_NO_MATTER = {  # fields that do not affect the weights
    "net", "snapshot_prefix", "snapshot", "snapshot_format", "snapshot_after_train", "snapshot_diff", "test_iter",
    "test_interval", "test_initialization", "test_compute_loss", "display", "debug_info", "average_loss", "device_id",
    "layer_wise_reduce", "max_iter",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The part of a solver and a train_test net as run that determines the weights."""

    solver: dict[str, Any]
    """Field -> value; fields at their default are left out."""
    layers: dict[str, bytes]
    """Layer, with its phase -> its message."""


def recipe(generation: Generation) -> Recipe | None:
    """Of the generation's files as they are; None where there are none that can be read."""
    try:
        solver = prototxt.read_solver(generation.prototxt("solver"))
        net = prototxt.read_net(generation.prototxt("train_test"))
    except (WorkflowError, OSError):
        return None
    kept = {field.name: _value(field, value) for field, value in solver.ListFields() if field.name not in _NO_MATTER}
    if solver.lr_policy == "poly":  # its rate is a function of max_iter
        kept["max_iter"] = solver.max_iter
    return Recipe(solver=kept, layers={_name(layer): _essence(layer) for layer in net.layer})


def differences(before: Recipe, after: Recipe) -> list[str]:
    """What differs, each as `base_lr 0.01 (was 0.001)` or `layer 'drop' of the net`."""
    fields = sorted(before.solver.keys() | after.solver.keys())
    said = [
        f"{name} {_said(after.solver.get(name))} (was {_said(before.solver.get(name))})"
        for name in fields
        if before.solver.get(name) != after.solver.get(name)
    ]
    layers = dict.fromkeys([*after.layers, *before.layers])
    changed = [name for name in layers if before.layers.get(name) != after.layers.get(name)]
    return said + [f"layer {name} of the net" for name in changed]


def extended(
    parts: Sequence[Part], before: Recipe | None, after: Recipe, *, iteration: int, changed: Sequence[str]
) -> list[Part]:
    """The record's list of parts, with that of a run that begins at `iteration`.

    Args:
        parts: as recorded so far; those at or after `iteration` are run again.
        before: of what was run before, where no part is recorded of it.
        after: of the run that begins.
        iteration: 0 for a run from the start.
        changed: what differs from before.

    Returns:
        [{from, solver, changed}], the first one from 0.
    """
    kept = [part for part in parts if part["from"] < iteration]
    if not kept and iteration and before is not None:
        kept = [{"from": 0, "solver": before.solver, "changed": []}]
    again = [part for part in parts if part["from"] >= iteration]
    if kept and not changed and not again:
        return kept
    changes = [change for part in again for change in part["changed"]] if iteration else []
    return [*kept, {"from": iteration, "solver": after.solver, "changed": [*changes, *changed]}]


def _value(field: FieldDescriptor, value: Any) -> Any:
    if field.type == FieldDescriptor.TYPE_FLOAT:
        return [plain(one) for one in value] if field.is_repeated else plain(value)
    if field.enum_type is not None:
        return field.enum_type.values_by_number[value].name
    if field.message_type is not None:
        return str(value)
    return list(value) if field.is_repeated else value


def _said(value: Any) -> str:
    if value is None:
        return "not given"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _name(layer: caffe_pb2.LayerParameter) -> str:
    phases = sorted({caffe_pb2.Phase.Name(rule.phase) for rule in layer.include if rule.HasField("phase")})
    return f"'{layer.name}'" + (f" ({', '.join(phases)})" if phases else "")


def _essence(layer: caffe_pb2.LayerParameter) -> bytes:
    """The layer without its fillers, which only a fresh run reads."""
    copy = caffe_pb2.LayerParameter()
    copy.CopyFrom(layer)
    for _, value in copy.ListFields():
        if isinstance(value, (caffe_pb2.ConvolutionParameter, caffe_pb2.InnerProductParameter)):
            value.ClearField("weight_filler")
            value.ClearField("bias_filler")
    return copy.SerializeToString(deterministic=True)

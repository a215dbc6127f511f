"""Upgrade old nets and solvers while reading, in the same steps as Caffe.

V0 (`layers { layer { type: "conv" } }`) -> V1 (`layers { type: CONVOLUTION }`) -> data transforms moved -> V2
(`layer { type: "Convolution" }`) -> `input:` fields to an Input layer -> BatchNorm's parameters frozen.
Source of the rules: BVLC Caffe's behaviour on every net it reads. A net inside a solver is brought up to date by the
same rules; Caffe does not do that, and has an empty net then.
"""

from __future__ import annotations

from collections.abc import Iterator

from workflow.formats import caffe_pb2
from workflow.formats.upgrade_error import UpgradeError
from workflow.formats.upgrade_v0 import v0_to_v1
from workflow.formats.upgrade_v1 import move_data_transforms, v1_to_v2

SOLVER_TYPES = ("SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam")
"""In the order of the old enum `SolverType`."""


def upgrade_net(
    message: caffe_pb2.NetParameter, *, weights: bool = False
) -> tuple[caffe_pb2.NetParameter, tuple[str, ...]]:
    """The net as Caffe would run it, and what was old about it.

    The message itself is not changed; a net that needs nothing is returned as it is. With `weights` it is a caffemodel,
    which is read for names and blobs: a V0 layer of unknown type is left without a type then.

    Raises:
        UpgradeError: `layer` and `layers` both, or an old layer that nothing today can express.
    """
    notes: list[str] = []
    net = message
    if net.layers:
        net = _upgrade_layers(net, notes, weights=weights)
    if net.input:
        net = _upgrade_input(net)
        notes.append("input fields")
    return _freeze_batch_norm(net), tuple(notes)


def upgrade_solver(
    message: caffe_pb2.SolverParameter,
) -> tuple[caffe_pb2.SolverParameter, tuple[str, ...]]:
    """The solver with `type` for the old `solver_type` and with nets of today in it, and what was old about it.

    The message itself is not changed; a solver that needs nothing is returned as it is.

    Raises:
        UpgradeError: `type` and `solver_type` both, or a net in it that cannot be upgraded.
    """
    solver = caffe_pb2.SolverParameter()
    solver.CopyFrom(message)
    notes: list[str] = []
    for field, index, net in _nets(solver):
        try:
            upgraded, old = upgrade_net(net)
        except UpgradeError as error:
            raise UpgradeError(error.message, field, index, *error.path, hint=error.hint) from None
        net.CopyFrom(upgraded)
        notes += [f"{note} in {field}" for note in old]
    if solver.HasField("solver_type"):
        if solver.HasField("type"):
            raise UpgradeError("'type' and 'solver_type' cannot be used together", "solver_type", 0, hint="keep 'type'")
        solver.type = SOLVER_TYPES[solver.solver_type]
        solver.ClearField("solver_type")
        notes.append("solver_type")
    return (solver, tuple(notes)) if solver != message else (message, ())


def _nets(solver: caffe_pb2.SolverParameter) -> Iterator[tuple[str, int, caffe_pb2.NetParameter]]:
    """The nets that the solver itself holds, each with its field and its number there."""
    for field in ("train_net_param", "net_param"):
        if solver.HasField(field):
            yield field, 0, getattr(solver, field)
    yield from (("test_net_param", index, net) for index, net in enumerate(solver.test_net_param))


def _upgrade_layers(message: caffe_pb2.NetParameter, notes: list[str], *, weights: bool) -> caffe_pb2.NetParameter:
    if message.layer:
        raise UpgradeError("'layer' and 'layers' (old) in one net", "layers", 0, hint="write every layer as 'layer'")
    net = message
    is_v0 = [layer.HasField("layer") for layer in net.layers]
    if any(is_v0):
        if not all(is_v0):
            raise UpgradeError(
                "'layers' of two old formats in one net",
                "layers",
                is_v0.index(not is_v0[0]),
                hint="write all as 'layer'",
            )
        net = v0_to_v1(net, weights=weights)
        notes.append("V0 layers")
    else:
        notes.append("V1 layers")
    return v1_to_v2(move_data_transforms(net))


def _upgrade_input(message: caffe_pb2.NetParameter) -> caffe_pb2.NetParameter:
    """`input` with `input_shape` (which wins) or `input_dim` becomes an Input layer in front; alone it is dropped."""
    net = caffe_pb2.NetParameter()
    net.CopyFrom(message)
    for name in ("input", "input_shape", "input_dim", "layer"):
        net.ClearField(name)
    names, shapes = list(message.input), [list(shape.dim) for shape in message.input_shape]
    dims = list(message.input_dim)
    if shapes and len(shapes) != len(names):
        raise UpgradeError(f"{len(names)} 'input' but {len(shapes)} 'input_shape'", "input_shape", 0)
    if not shapes and dims:
        if len(dims) != 4 * len(names):
            raise UpgradeError(
                f"{len(names)} 'input' need {4 * len(names)} 'input_dim', got {len(dims)}", "input_dim", 0
            )
        shapes = [dims[start : start + 4] for start in range(0, len(dims), 4)]
    if shapes:
        layer = net.layer.add(name="input", type="Input", top=names)
        for shape in shapes:
            layer.input_param.shape.add(dim=shape)
    net.layer.extend(message.layer)
    return net


def _freeze_batch_norm(message: caffe_pb2.NetParameter) -> caffe_pb2.NetParameter:
    """A BatchNorm layer's three blobs are statistics: neither a rate nor a decay may touch them."""
    if not any(_learns_statistics(layer) for layer in message.layer):
        return message
    net = caffe_pb2.NetParameter()
    net.CopyFrom(message)
    for layer in filter(_learns_statistics, net.layer):
        for param in layer.param:
            param.lr_mult = 0.0
            param.decay_mult = 0.0
    return net


def _learns_statistics(layer: caffe_pb2.LayerParameter) -> bool:
    return (
        layer.type == "BatchNorm"
        and len(layer.param) == 3
        and any(param.lr_mult != 0 or param.decay_mult != 0 for param in layer.param)
    )

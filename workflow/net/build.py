"""NetParameter -> NetSpec: filter for a phase, insert Split layers, check the wiring.

Source of the rules: src/caffe/net.cpp, Net::Init, FilterNet, AppendTop, AppendBottom.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.net.rules import State, kept
from workflow.net.sources import where
from workflow.net.spec import LayerSpec, NetSpec, ParamSpec, Phase
from workflow.net.splits import insert_splits

AUTOMATIC = "(automatic)"  # Caffe's name for the top that a loss layer did not name


def build(
    net: caffe_pb2.NetParameter,
    *,
    phase: Phase,
    level: int = 0,
    stages: Sequence[str] = (),
    source: Path | None = None,
) -> NetSpec:
    """The net's graph, for one phase.

    Args:
        net: an upgraded net; it is not changed.
        phase: overrides the net's own `state`, and so does `level`.
        level: asked by `min_level` and `max_level` rules.
        stages: added to those of the net's `state`.
        source: the file it came from, for messages.

    Raises:
        NetError: no layer is left, a blob is read that nothing makes, a top is made twice, a layer has both
            include and exclude rules, or the wrong number of loss weights or propagate_down entries.
    """
    number = caffe_pb2.TRAIN if phase == "TRAIN" else caffe_pb2.TEST
    state = State(phase=number, level=level, stages=(*net.state.stage, *stages))
    try:
        layers = kept(net.layer, state)
        if not layers:
            hint = "; ".join(f"layer '{layer.name}' exists {where(layer)}" for layer in net.layer[:1]) or None
            raise NetError(f"net '{net.name}' has no layer for phase {phase}", hint=hint)  # noqa: TRY301 - placed below
        specs = [_layer_spec(message, number) for message in insert_splits(layers, net.layer)]
        _check_tops(specs)
    except NetError as error:
        if error.at is None and source is not None:
            raise NetError(error.message, at=source, hint=error.hint, fault=error.fault) from error
        raise
    inputs = [top for spec in specs if spec.type == "Input" for top in spec.tops]
    return NetSpec(
        name=net.name,
        phase=phase,
        layers=tuple(specs),
        inputs=tuple(inputs),
        outputs=tuple(_outputs(specs)),
        force_backward=net.force_backward,
        source=source,
    )


def _layer_spec(message: caffe_pb2.LayerParameter, phase: caffe_pb2.Phase) -> LayerSpec:
    if not message.HasField("phase"):
        message.phase = phase
    if message.type.endswith("Loss") and not message.top:
        message.top.append(AUTOMATIC)
    if message.type.endswith("Loss") and not message.loss_weight:
        message.loss_weight.extend([1.0] + [0.0] * (len(message.top) - 1))
    _check_counts(message)
    return LayerSpec(
        name=message.name,
        type=message.type,
        bottoms=tuple(message.bottom),
        tops=tuple(message.top),
        params=tuple(_param_spec(param) for param in message.param),
        loss_weights=tuple(message.loss_weight) or (0.0,) * len(message.top),
        phase="TRAIN" if message.phase == caffe_pb2.TRAIN else "TEST",
        propagate_down=tuple(message.propagate_down) or (True,) * len(message.bottom),
        message=message,
    )


def _check_counts(message: caffe_pb2.LayerParameter) -> None:
    for values, what, ends in (
        (message.loss_weight, "loss_weight", message.top),
        (message.propagate_down, "propagate_down", message.bottom),
    ):
        if values and len(values) != len(ends):
            raise NetError(
                f"layer '{message.name}' ({message.type}): {len(values)} {what} entries, expected none or {len(ends)}"
            )


def _param_spec(param: caffe_pb2.ParamSpec) -> ParamSpec:
    return ParamSpec(
        name=param.name,
        lr_mult=param.lr_mult if param.HasField("lr_mult") else None,
        decay_mult=param.decay_mult if param.HasField("decay_mult") else None,
        permissive=param.share_mode == caffe_pb2.ParamSpec.PERMISSIVE,
    )


def _check_tops(specs: Sequence[LayerSpec]) -> None:
    maker: dict[str, str] = {}
    for spec in specs:
        for index, top in enumerate(spec.tops):
            in_place = index < len(spec.bottoms) and spec.bottoms[index] == top
            if top in maker and not in_place and top != AUTOMATIC:
                raise NetError(
                    f"blob '{top}' is made by layer '{maker[top]}' and again by layer '{spec.name}'",
                    hint="rename one of them; a layer can work in place only as the blob's first reader",
                    fault="X05",
                )
            maker[top] = spec.name


def _outputs(specs: Sequence[LayerSpec]) -> list[str]:
    waiting: dict[str, None] = {}
    for spec in specs:
        for bottom in spec.bottoms:
            waiting.pop(bottom, None)
        waiting.update(dict.fromkeys(top for top in spec.tops if top != AUTOMATIC))
    return sorted(waiting)

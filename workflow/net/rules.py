"""Include and exclude rules: which layers belong to which phase."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from workflow.errors import NetError
from workflow.formats import caffe_pb2


class State(Struct, frozen=True, kw_only=True):
    """The state that rules are matched with: phase, level and stages (caffe.proto, NetState)."""

    phase: int = caffe_pb2.TEST
    level: int = 0
    stages: tuple[str, ...] = ()


def matches(rule: caffe_pb2.NetStateRule, state: State) -> bool:
    """Whether every condition of the rule holds; an empty rule always matches."""
    if rule.HasField("phase") and rule.phase != state.phase:
        return False
    if rule.HasField("min_level") and state.level < rule.min_level:
        return False
    if rule.HasField("max_level") and state.level > rule.max_level:
        return False
    return set(rule.stage) <= set(state.stages) and not set(rule.not_stage) & set(state.stages)


def included(layer: caffe_pb2.LayerParameter, state: State) -> bool:
    """Whether the layer stays: any include rule matches, or no exclude rule does.

    Raises:
        NetError: the layer has both kinds of rules (Net::FilterNet refuses that too).
    """
    if layer.include and layer.exclude:
        raise NetError(f"layer '{layer.name}' has both include and exclude rules; expected one kind")
    if layer.include:
        return any(matches(rule, state) for rule in layer.include)
    return not any(matches(rule, state) for rule in layer.exclude)


def kept(layers: Sequence[caffe_pb2.LayerParameter], state: State) -> list[caffe_pb2.LayerParameter]:
    """The layers that stay, in order."""
    return [layer for layer in layers if included(layer, state)]

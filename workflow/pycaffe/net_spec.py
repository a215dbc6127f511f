"""Nets written in Python: `n = NetSpec(); n.conv1 = L.Convolution(n.data, kernel_size=5, num_output=20)`.

Source of the behaviour: python/caffe/net_spec.py of BVLC Caffe. Unnamed layers are called by their type and
a number that counts within the type, from 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from workflow.errors import did_you_mean
from workflow.formats import caffe_pb2
from workflow.pycaffe.refusals import Refused

_PARAM = "_param"
_PARAMETER = "Parameter"


class Function:
    """A layer to be made: its type, the tops it reads and its settings."""

    def __init__(self, type_name: str, inputs: tuple[Top, ...], params: dict[str, Any]) -> None:
        for index, one in enumerate(inputs):
            if not isinstance(one, Top):
                raise TypeError(f"{type_name} input {index} is not a Top (type is {type(one)})")
        self.type_name = type_name
        self.inputs = inputs
        self.ntop: int = params.pop("ntop", 1)
        self.in_place: bool = params.pop("in_place", False)
        self.params = params
        self.tops = tuple(Top(self, number) for number in range(self.ntop))


class Top:
    """A blob of a layer to be made."""

    def __init__(self, fn: Function, n: int) -> None:
        self.fn = fn
        self.n = n

    def to_proto(self) -> caffe_pb2.NetParameter:
        """The net of all layers that this blob needs."""
        return to_proto(self)


class NetSpec:
    """A net under construction: assigning an attribute names a blob.

    The layer that makes a blob bears the name of its first blob.
    """

    tops: dict[str, Top | Function]

    def __init__(self) -> None:
        object.__setattr__(self, "tops", {})

    def __setattr__(self, name: str, value: Top | Function) -> None:
        self.tops[name] = value

    def __getattr__(self, name: str) -> Top | Function:
        try:
            return self.tops[name]
        except KeyError:
            raise AttributeError(f"no blob '{name}' was assigned; assigned: {', '.join(self.tops) or 'none'}") from None

    def __delattr__(self, name: str) -> None:
        if name not in self.tops:
            raise AttributeError(f"no blob '{name}' was assigned")
        del self.tops[name]

    __setitem__ = __setattr__

    def __getitem__(self, name: str) -> Top | Function:
        return self.tops[name]

    def to_proto(self) -> caffe_pb2.NetParameter:
        """The net of all layers that the assigned blobs need, in an order that runs."""
        writer = _Writer({one: name for name, one in self.tops.items()})
        for one in self.tops.values():
            writer.add(one.fn if isinstance(one, Top) else one)
        return writer.net()


def to_proto(*tops: Top | Function) -> caffe_pb2.NetParameter:
    """The net of all layers that those blobs need; every name is made up."""
    writer = _Writer({})
    for one in tops:
        writer.add(one.fn if isinstance(one, Top) else one)
    return writer.net()


class _Layers:
    """`L.Convolution(bottom, kernel_size=3)`: any layer type as a function of tops and settings."""

    def __getattr__(self, type_name: str) -> Callable[..., Any]:
        if type_name.startswith("__"):
            raise AttributeError(type_name)

        def make(*inputs: Top, **params: Any) -> Function | Top | tuple[Top, ...]:
            """The top of a new layer; several as a tuple for `ntop` > 1, the layer itself for `ntop=0`."""
            function = Function(type_name, inputs, params)
            if function.ntop == 0:
                return function
            return function.tops[0] if function.ntop == 1 else function.tops

        return make


class _Enums:
    """The constants of one message: `P.Pooling.MAX`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, constant: str) -> Any:
        return getattr(getattr(caffe_pb2, self._name + _PARAMETER), constant)


class _Params:
    """`P.Pooling.MAX`: the constants of all messages."""

    def __getattr__(self, name: str) -> _Enums:
        if name.startswith("__") or not hasattr(caffe_pb2, name + _PARAMETER):
            raise AttributeError(f"no message {name}{_PARAMETER}")
        return _Enums(name)


layers = _Layers()
params = _Params()


class _Writer:
    """Layers in the order of their making, each after those that it reads."""

    def __init__(self, names: dict[Top | Function, str]) -> None:
        self._names = names
        self._written: dict[Function, caffe_pb2.LayerParameter] = {}
        self._counts: Counter[str] = Counter()

    def net(self) -> caffe_pb2.NetParameter:
        net = caffe_pb2.NetParameter()
        net.layer.extend(self._written.values())
        return net

    def add(self, function: Function) -> None:
        if function in self._written:
            return
        layer = caffe_pb2.LayerParameter(type=function.type_name)
        for one in function.inputs:
            self.add(one.fn)
            layer.bottom.append(self._written[one.fn].top[one.n])
        layer.top.extend(layer.bottom if function.in_place else [self._name(top) for top in function.tops])
        layer.name = self._name(function.tops[0] if function.ntop else function)
        for name, value in function.params.items():
            _assign(_owner(layer, function.type_name, name), name, value)
        self._written[function] = layer

    def _name(self, one: Top | Function) -> str:
        if one not in self._names:
            type_name = one.fn.type_name if isinstance(one, Top) else one.type_name
            self._counts[type_name] += 1
            self._names[one] = f"{type_name}{self._counts[type_name]}"
        return self._names[one]


def _owner(layer: caffe_pb2.LayerParameter, type_name: str, name: str) -> Message:
    """The message that a setting belongs to: the layer's own settings if they have it, else the layer."""
    own = _OWN.get(type_name)
    if name.endswith("param") or own is None or name not in getattr(layer, own).DESCRIPTOR.fields_by_name:
        return layer
    message: Message = getattr(layer, own)
    return message


def _assign(message: Message, name: str, value: Any) -> None:
    """A dict becomes a message, a list a repeated field, and a lone value of a repeated field a list of one."""
    fields = message.DESCRIPTOR.fields_by_name
    if name not in fields:
        raise Refused(
            f"{message.DESCRIPTOR.name} has no field '{name}'", hint=did_you_mean(name, list(fields)), fault="X01"
        )
    if fields[name].is_repeated:
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(item, dict):
                _assign_all(getattr(message, name).add(), item)
            else:
                getattr(message, name).append(item)
    elif isinstance(value, dict):
        getattr(message, name).SetInParent()
        _assign_all(getattr(message, name), value)
    else:
        setattr(message, name, value)


def _assign_all(message: Message, values: dict[str, Any]) -> None:
    for name, value in values.items():
        _assign(message, name, value)


_OWN = {
    field.message_type.name.removesuffix(_PARAMETER): field.name
    for field in caffe_pb2.LayerParameter.DESCRIPTOR.fields
    if field.message_type is not None and field.name.endswith(_PARAM)
}
"""Layer type -> the field with its settings, by the name of the message. (As in Caffe, some types have none of their
own name: Deconvolution takes `convolution_param=dict(...)`.)"""

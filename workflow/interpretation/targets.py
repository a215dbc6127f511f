"""Targets of an explanation: a class, a channel of a blob, or a unit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from torch import Tensor, nn

from workflow.engines.torch_cpu.passes import Pass
from workflow.errors import UsageError, did_you_mean
from workflow.interpretation.differentiable import Differentiable
from workflow.models.model import Model
from workflow.paths import file_stem

_UNIT = re.compile(r"(?P<blob>.+):(?P<channel>\d+)(?:,(?P<y>\d+),(?P<x>\d+))?")


@dataclass(frozen=True, kw_only=True)
class Target:
    """A number of the net for each picture."""

    blob: str
    channel: int
    place: tuple[int, int] | None = None
    """(row, column) of one unit in the channel's map; None is the mean over the map."""
    class_name: str | None = None
    """Set when the target is a class: `blob` then holds the scores that the Softmax layer reads."""

    @property
    def name(self) -> str:
        """As the user asks for it: `dog`, `conv3:17`, `conv3:17,2,3`."""
        if self.class_name is not None:
            return self.class_name
        place = "" if self.place is None else f",{self.place[0]},{self.place[1]}"
        return f"{self.blob}:{self.channel}{place}"

    @property
    def kind(self) -> str:
        """`class` or `unit`: the key under which a result names the target."""
        return "unit" if self.class_name is None else "class"

    @property
    def title(self) -> str:
        """The title for pictures and tables: `class dog`, `unit conv3:17`."""
        return f"{self.kind} {self.name}"

    @property
    def slug(self) -> str:
        """The target in a file's name."""
        return file_stem(self.name)

    def pick(self, blob: Tensor) -> Tensor:
        """The number in a blob (N, C, ...) that belongs to this target, for each picture: (N,)."""
        channel = blob[:, self.channel]  # (N, ...)
        if self.place is not None:
            return channel[:, self.place[0], self.place[1]]
        return channel.flatten(1).mean(1) if channel.dim() > 1 else channel

    def value(self, run: Pass, *, before: bool = False) -> Tensor:
        """The target's number for each picture of a pass, (N,), on autograd's tape.

        Raises:
            NetError: a layer on the way cannot be differentiated; it is named.
        """
        return self.pick(run.tensor(self.blob, before=before))


def unit(net: Differentiable, text: str) -> Target:
    """Parse `conv3:17` (a channel: the mean of its map) or `conv3:17,2,3` (the unit in row 2, column 3).

    Raises:
        UsageError: it is neither, or the net has no such blob, channel or place.
    """
    found = _UNIT.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f"'{text}' is not a unit; expected BLOB:CHANNEL or BLOB:CHANNEL,ROW,COLUMN", hint="such as conv3:17"
        )
    blob, number = net.known(found["blob"]), int(found["channel"])
    shape = net.shapes[blob]
    if len(shape) < 2 or number >= shape[1]:
        raise UsageError(f"blob '{blob}' has {shape[1] if len(shape) > 1 else 0} channels, from 0; got {number}")
    if found["y"] is None:
        return Target(blob=blob, channel=number)
    place = (int(found["y"]), int(found["x"]))
    if len(shape) != 4 or place[0] >= shape[2] or place[1] >= shape[3]:
        size = f"{shape[2]} rows and {shape[3]} columns" if len(shape) == 4 else "no rows and columns"
        raise UsageError(f"'{text}': a channel of blob '{blob}' has {size}, from 0", hint=f"{blob}:{number}")
    return Target(blob=blob, channel=number, place=place)


def channels(net: Differentiable, blob: str) -> list[Target]:
    """Every channel of a blob.

    Raises:
        UsageError: I02, the net has no such blob, or it has no channels.
    """
    shape = net.shapes[net.known(blob)]
    if len(shape) not in (2, 4):
        raise UsageError(f"blob '{blob}' is {shape}, expected (N, C, H, W) or (N, C)")
    return [Target(blob=blob, channel=number) for number in range(shape[1])]


def of_class(net: Differentiable, name: str) -> Target:
    """A class by its name, or by its number in a model without names; the score before the Softmax layer.

    Raises:
        UsageError: there is no such class.
        NetError: the net does not end in one number for each class.
    """
    scores = net.scores()
    names = class_names(net.model, net.shapes[scores][1])
    if name not in names:
        raise UsageError(f"no class '{name}'", hint=did_you_mean(name, names))
    return Target(blob=scores, channel=names.index(name), class_name=name)


def class_names(model: Model, count: int) -> list[str]:
    """The names of a net's classes, numbers where there are none."""
    return [model.class_name(index) for index in range(count)]


class Score(nn.Module):
    """The target as a function of the input blob, (N, C, H, W) -> (N,): what attribution methods take.

    Attributes:
        net: the net, its layers found as submodules.
        target: what is explained.
    """

    def __init__(self, net: Differentiable, target: Target) -> None:
        super().__init__()
        self.net = net
        self.target = target

    def forward(self, x: Tensor) -> Tensor:
        """One number for each picture."""
        return self.target.value(self.net.run(x, until=(self.target.blob,)))

"""Options and arguments of commands, written as annotations of a function's parameters.

    def film(call: Call, picture: Annotated[Path, Argument(metavar="PICTURE", help="…")],
             size: Annotated[int, Option("--size", min=1, help="…")] = 64) -> None: ...

The type says how a value is read: bool is a flag, a list may be given several times, a Literal is one of its words.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from types import NoneType
from typing import Any, Literal, Union, get_args, get_origin

import click

from workflow.paths import PathOrAddress, path_or_address


class Option:
    """An option of a command.

    Args:
        names: `--size`, `-s`.
        help: a sentence.
        metavar: what stands for its value in the help; None takes the type's.
        min, max: bounds of a number, inclusive.
        parser: reads the value; it raises click.BadParameter.
    """

    def __init__(
        self,
        *names: str,
        help: str,
        metavar: str | None = None,
        min: float | None = None,
        max: float | None = None,
        parser: Callable[[str], Any] | None = None,
    ) -> None:
        self.names, self.help, self.metavar = names, help, metavar
        self.min, self.max, self.parser = min, max, parser


class Argument(Option):
    """An argument of a command; it has no names."""


class Command(click.Command):
    """A command.

    Attributes:
        panel: its heading in the help of the group.
    """

    panel: str = ""


class Group(click.Group):
    """A command with commands of its own.

    Attributes:
        panel: its heading in the help of the group.
    """

    panel: str = ""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they were added."""
        del ctx
        return list(self.commands)


def command(name: str, function: Callable[..., None], help: str, parameters: Iterable[inspect.Parameter]) -> Command:
    """The command `name`: `function` is called with a keyword for each parameter."""
    return Command(name, callback=function, params=[made(one) for one in parameters], help=help)


def made(parameter: inspect.Parameter) -> click.Parameter:
    """The click parameter for a parameter of a function; its annotation is evaluated."""
    kind, mark = get_args(parameter.annotation)[:2]
    optional = NoneType in get_args(kind)
    kind = Union[*(one for one in get_args(kind) if one is not NoneType)] if optional else kind
    several = get_origin(kind) is list
    kind = get_args(kind)[0] if several else kind
    required = parameter.default is inspect.Parameter.empty
    facts: dict[str, Any] = {"help": mark.help, "metavar": mark.metavar, "required": required}
    if kind is not bool:
        facts["type"] = _type(kind, mark)
    if not required and not several:
        facts["default"] = parameter.default
    if several:
        facts["callback"] = lambda _context, _parameter, values: list(values) or None
    if isinstance(mark, Argument):
        if parameter.default not in (None, inspect.Parameter.empty):
            facts["help"] += f"  [default: {parameter.default}]"
        return _Argument([parameter.name], nargs=-1 if several else 1, **facts)
    facts |= {"multiple": several, "show_default": parameter.default is not False}
    if kind is bool:
        facts["is_flag"] = True
    return click.Option([*mark.names, parameter.name], **facts)


class _Argument(click.Argument):
    """An argument that may be left out stands in brackets in the usage line, whatever stands for it."""

    def get_usage_pieces(self, ctx: click.Context) -> list[str]:
        """`FOLDER`, `[FOLDER]` or `[FOLDER]...`."""
        name = self.make_metavar(ctx)
        return [(name if self.required else f"[{name}]") + ("..." if self.nargs < 0 else "")]


class _PathOrAddress(click.Path):
    """A path, which becomes a `Path`, or an address, which stays as it is."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As of click."""
        return path_or_address(os.fsdecode(super().convert(value, param, ctx)))


def _type(kind: Any, mark: Option) -> click.ParamType[Any, Any]:
    if mark.parser is not None:
        return click.types.FuncParamType(mark.parser)
    if get_origin(kind) is Literal:
        return click.Choice(get_args(kind))
    if kind is int and (mark.min is not None or mark.max is not None):
        whole = click.IntRange(mark.min, mark.max)  # type: ignore[arg-type]  # whole numbers, where the type is int
        whole.name = "whole number"  # in "'x' is not a valid whole number"
        return whole
    if kind is float and (mark.min is not None or mark.max is not None):
        return click.FloatRange(mark.min, mark.max)
    if kind is Path:
        return click.Path(path_type=Path)
    if kind == PathOrAddress:
        return _PathOrAddress()
    basic: click.ParamType[Any, Any] = click.types.convert_type(kind)
    return basic

"""Find what is wrong with settings, and report it with the file and line, or the option."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import Meta, ValidationError, structs

from workflow.config import Config, Settings, typed
from workflow.errors import ConfigError, Location, did_you_mean
from workflow.formats import yaml

Steps = tuple[str | int, ...]
Origins = Mapping[tuple[str, ...], str]
_KINDS = {int: "a whole number", float: "a number", str: "text", Path: "a path"}


def check(settings: Mapping[str, Any], file: Path, origins: Origins) -> None:
    """Refuse settings that cannot be used.

    Args:
        settings: as the YAML file, flags and variables give them.
        file: the YAML file that most of them come from.
        origins: for those that come from elsewhere, the flag or variable.

    Raises:
        ConfigError: Y03, Y04, Y05: one error for everything that is wrong.
    """
    if _fits(settings):  # a hundred times as fast as checking each setting
        return
    found = list(_block(settings, Config, (), _Source(file, origins)))
    if len(found) == 1:
        raise found[0]
    if found:
        lines = [f"{len(found)} settings cannot be used", *(f"  {one.at}: {one.message}" for one in found)]
        raise ConfigError("\n".join(lines), hint=found[0].hint, fault=found[0].fault)


def _fits(settings: Mapping[str, Any]) -> bool:
    try:
        typed(settings, Config)
    except ValidationError:
        return False
    return "project" not in settings  # a field, and no setting


class _Source:
    """Where a setting comes from."""

    def __init__(self, file: Path, origins: Origins) -> None:
        self._file, self._origins = file, origins

    def place(self, steps: Steps) -> Location:
        for known, where in self._origins.items():
            if steps[: len(known)] == known:
                return Location(path=where)
        return yaml.locate(self._file, steps)


def _block(value: Any, block: type[Settings], steps: Steps, source: _Source) -> Iterator[ConfigError]:
    """All that is wrong in a block of settings."""
    if not isinstance(value, Mapping):
        yield _wrong(value, "a block of settings", steps, source)
        return
    known = {one.name: one.type for one in structs.fields(block) if one.name != "project"}
    right = True
    for name, inner in value.items():
        here = (*steps, name)
        if name not in known:
            hint = did_you_mean(str(name), list(known))
            faults = [ConfigError(f"unknown setting '{_spell(here)}'", at=source.place(here), hint=hint, fault="Y03")]
        elif isinstance(known[name], type) and issubclass(known[name], Settings):
            faults = list(_block(inner, known[name], here, source))
        else:
            faults = list(_value(inner, known[name], here, source))
        right = right and not faults
        yield from faults
    if not right:
        return
    try:
        typed(value, block)
    except ValidationError as error:  # of a rule for several fields
        name, _, message = str(error).partition(": ")
        message = message.partition(" - at `$")[0]
        here = (*steps, name)
        yield ConfigError(f"{_spell(here)}: {message}", at=source.place(here), fault="Y04")


def _value(value: Any, kind: Any, steps: Steps, source: _Source) -> Iterator[ConfigError]:
    """All that is wrong with a setting."""
    try:
        typed(value, kind)
    except ValidationError:
        pass
    else:
        return
    kind = next((one for one in get_args(kind) if one is not NoneType), kind) if _is_union(kind) else kind
    if get_origin(kind) is not tuple:
        yield _wrong(value, _expected(value, kind), steps, source)
        return
    kinds = get_args(kind)
    endless = kinds[-1] is Ellipsis
    if not isinstance(value, list | tuple) or not (endless or len(value) == len(kinds)):
        yield _wrong(value, "a list" if endless else f"a list of {len(kinds)}", steps, source)
        return
    for index, one in enumerate(value):
        yield from _value(one, kinds[0] if endless else kinds[index], (*steps, index), source)


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType)


def _expected(value: Any, kind: Any) -> str:
    """What a value of a type other than a list must be, in words; the bound that it misses if the type is right."""
    if get_origin(kind) is Literal:
        *names, last = (repr(name) for name in get_args(kind))
        return f"{', '.join(names)} or {last}" if names else last
    base, *rules = get_args(kind) if get_origin(kind) is Annotated else (kind,)
    if base is float and isinstance(value, float) and not math.isfinite(value):
        return "a finite number"
    if isinstance(value, bool) or not isinstance(value, (int, float) if base is float else base):
        return _KINDS[base]
    missed = (words.format(bound) for rule in rules for words, bound in _bounds(rule, value))
    return next(missed, _KINDS[base])


def _bounds(rule: Meta, value: Any) -> Iterator[tuple[str, Any]]:
    """The bounds that a value misses."""
    if rule.min_length is not None and len(value) < rule.min_length:
        yield "text that is not empty", None
    if rule.gt is not None and value <= rule.gt:
        yield "more than {}", rule.gt
    if rule.ge is not None and value < rule.ge:
        yield "at least {}", rule.ge
    if rule.lt is not None and value >= rule.lt:
        yield "less than {}", rule.lt
    if rule.le is not None and value > rule.le:
        yield "at most {}", rule.le


def _wrong(value: Any, expected: str, steps: Steps, source: _Source) -> ConfigError:
    text = expected.startswith("text")
    message = f"{_spell(steps)}: got {_say(value)}, expected {expected}"
    hint = _quoted(value) if text else _unquoted(value, expected)
    return ConfigError(message, at=source.place(steps), hint=hint, fault="Y05" if text else "Y04")


def _say(value: Any) -> str:
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        return "a block" if isinstance(value, dict) else f"a list of {len(value)}"
    return repr(value)


def _quoted(value: Any) -> str:
    return f'quote it: "{str(value).lower() if isinstance(value, bool) else value}"'


def _unquoted(value: Any, expected: str) -> str | None:
    if not isinstance(value, str) or "number" not in expected:
        return None
    number = value.replace(",", ".")
    try:
        float(number)
    except ValueError:
        return None
    return f"write {number}, without quotes"


def _spell(steps: Steps) -> str:
    """classes[0], train.engine."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")

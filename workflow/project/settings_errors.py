"""Turn pydantic's errors into sentences with the file and line, or the option, that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from workflow.config import Config
from workflow.errors import ConfigError, Location, did_you_mean
from workflow.formats import yaml

_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "path_type": "a path",
    "tuple_type": "a list",
    "model_type": "a block of settings",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "too_long": "{max_length} of them",
    "missing": "one more",
}


def complain(error: ValidationError, file: Path, origins: Mapping[tuple[str, ...], str]) -> ConfigError:
    """One error for everything that is wrong.

    Args:
        error: of validating the settings.
        file: the YAML file that most of them come from.
        origins: for those that come from elsewhere, the flag or variable.
    """
    found = [_one(details, file, origins) for details in error.errors()]
    if len(found) == 1:
        return found[0]
    lines = [f"{len(found)} settings cannot be used", *(f"  {one.at}: {one.message}" for one in found)]
    return ConfigError("\n".join(lines), hint=found[0].hint, fault=found[0].fault)


def _one(details: ErrorDetails, file: Path, origins: Mapping[tuple[str, ...], str]) -> ConfigError:
    steps, value, kind = details["loc"], details["input"], details["type"]
    name = _spell(steps)
    at = next((Location(path=where) for known, where in origins.items() if steps[: len(known)] == known), None)
    at = at or yaml.locate(file, steps)
    if kind == "extra_forbidden":
        hint = did_you_mean(str(steps[-1]), _siblings(steps))
        return ConfigError(f"unknown setting '{name}'", at=at, hint=hint, fault="Y03")
    expected = _EXPECTED.get(kind, "")
    wanted = expected.format(**details.get("ctx", {})) if expected else details["msg"].lower()
    fault = "Y05" if kind == "string_type" else "Y04"
    return ConfigError(f"{name}: got {_say(value)}, expected {wanted}", at=at, hint=_hint(value, kind), fault=fault)


def _siblings(steps: tuple[str | int, ...]) -> list[str]:
    """The known names in the block that contains the last of `steps`."""
    model: type[BaseModel] = Config
    for step in steps[:-1]:
        inner = model.model_fields[str(step)].annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)


def _say(value: Any) -> str:
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        return "a block" if isinstance(value, dict) else f"a list of {len(value)}"
    return repr(value)


def _hint(value: Any, kind: str) -> str | None:
    if kind == "string_type":
        return f'quote it: "{str(value).lower() if isinstance(value, bool) else value}"'
    if kind in {"float_type", "int_type"} and isinstance(value, str):
        number = value.replace(",", ".")
        try:
            float(number)
        except ValueError:
            return None
        return f"write {number}, without quotes"
    return None


def _spell(steps: tuple[str | int, ...]) -> str:
    """classes[0], train.engine."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")

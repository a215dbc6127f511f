"""Read YAML settings strictly: ambiguous or repeated keys are errors with line and column.

PyYAML scans the text; the values are built here, from its events: no aliases, no tags, no key twice, `1e-3` a
number, `yes`, `no`, `010`, `12:30` and dates refused because half of their writers mean text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from workflow.errors import ConfigError, Location
from workflow.formats.files import read_whole
from workflow.formats.text import decode

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20

Key = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,99})")
_FLOAT = re.compile(r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_AMBIGUOUS = {
    re.compile(
        r"[-+]?0[0-9_]+|0[xo][0-9a-fA-F_]+|0b[01_]+|[-+]?[0-9]+_[0-9_.]*"
    ): "a number in a base or a spelling that misleads",
    re.compile(r"[-+]?[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9]*)?"): "a number of base 60",
    re.compile(r"\d{4}-\d\d?-\d\d?(?:[Tt ].*)?"): "a date",
}
_CONSTANTS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = ("", "~", "null", "Null", "NULL")
_SPOKEN = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def read(path: Path) -> dict[str, Any]:
    """The settings; an empty file has none.

    Raises:
        ConfigError: Y01 missing, Y02 indentation or tabs, Y05 an ambiguous value, Y06 a key twice, Y07 tags,
            aliases, more than 20 levels, more than 256 KiB, not UTF-8.
    """
    return _document(_read(path), path).value


def parse(text: str, source: Path | str = "<text>") -> dict[str, Any]:
    """As `read`, from text."""
    return _document(text, source).value


def positions(path: Path) -> dict[Key, Location]:
    """The location of each setting: ("train", "engine") or ("classes", 0) -> line and column of key or item.

    Raises:
        ConfigError: as `read`.
    """
    return _document(_read(path), path).positions


def locate(path: Path, key: Key) -> Location:
    """The location of a setting, or of the nearest block around it; else the file alone.

    For error messages: it never raises.
    """
    try:
        places = positions(Path(path))
    except (ConfigError, OSError):
        return Location(path=path)
    for length in range(len(key), 0, -1):
        if key[:length] in places:
            return places[key[:length]]
    return Location(path=path)


def _read(path: Path) -> str:
    path = Path(path)
    if not path.exists():
        raise ConfigError(f"config not found: {path}", hint="wf init writes configs/default.yaml", fault="Y01")
    data = read_whole(path, error=ConfigError, limit=MAX_BYTES, fault="Y07")
    return decode(data, path, error=ConfigError, fault="Y07")


# ---- from events to values --------------------------------------------------------------------------------------


@dataclass
class _Document:
    value: dict[str, Any] = field(default_factory=dict)
    positions: dict[Key, Location] = field(default_factory=dict)


def _document(text: str, source: Path | str) -> _Document:
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{source} is larger than {MAX_BYTES} bytes", at=source, fault="Y07")
    document = _Document()
    try:
        _Builder(source, document).build(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, source, text) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        at = Location(path=source, line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))
        raise ConfigError(f"character {error.character:#x} is not allowed", at=at, fault="Y07") from None
    except (yaml.YAMLError, ValueError, OverflowError, IndexError, RecursionError) as error:
        # PyYAML lets a bad \\U escape through as ValueError or OverflowError
        raise ConfigError(f"{source} cannot be read as YAML: {error}", at=source, fault="Y02") from None
    return document


class _Builder:
    """Walks PyYAML's events once, without recursion in the values."""

    def __init__(self, source: Path | str, document: _Document) -> None:
        self.source = source
        self.document = document

    def build(self, events: Iterator[Any]) -> None:
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self.error(event, "a second document", fault="Y02")
            elif isinstance(event, (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentEndEvent)):
                continue
            elif isinstance(event, yaml.MappingStartEvent):
                self.document.value = self.value(event, events, ())
            elif not (isinstance(event, yaml.ScalarEvent) and self.scalar(event, ()) is None):
                raise self.error(event, "expected 'key: value' lines", fault="Y02")

    def value(self, event: Any, events: Iterator[Any], path: Key) -> Any:
        """The value that starts with `event`; recursion is bounded by MAX_DEPTH."""
        if isinstance(event, yaml.AliasEvent):
            raise self.error(event, f"alias '*{event.anchor}' is not allowed", fault="Y07")
        if event.anchor is not None:
            raise self.error(event, f"anchor '&{event.anchor}' is not allowed", fault="Y07")
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise self.error(event, f"tag {tag} is not allowed", fault="Y07")
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event, path)
        if len(path) >= MAX_DEPTH:
            raise self.error(event, f"nests deeper than {MAX_DEPTH}", fault="Y07")
        return self.mapping(events, path) if isinstance(event, yaml.MappingStartEvent) else self.list(events, path)

    def mapping(self, events: Iterator[Any], path: Key) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self.value(event, events, path) if isinstance(event, yaml.ScalarEvent) else None
            if not isinstance(key, str):
                raise self.error(event, "a key must be text", hint="quote it" if key is not None else None, fault="Y05")
            if key in found:
                first = self.document.positions[*path, key].line
                raise self.error(event, f"'{key}' given twice, first on line {first}", fault="Y06")
            self.document.positions[*path, key] = self.location(event)
            found[key] = self.value(next(events), events, (*path, key))
        return found

    def list(self, events: Iterator[Any], path: Key) -> list[Any]:
        found: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            here = (*path, len(found))
            self.document.positions[here] = self.location(event)
            found.append(self.value(event, events, here))
        return found

    def scalar(self, event: Any, path: Key) -> Any:
        text = event.value
        if event.style is not None:  # quoted, or a block of text
            return text
        if text in _NULLS:
            return None
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if text.lower() in _SPOKEN:
            boolean = _SPOKEN[text.lower()]
            raise self.error(
                event,
                f"{_spell(path)}: got the boolean {boolean}",
                hint=f'quote it: "{text}", or write {boolean}',
                fault="Y05",
            )
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text) or _SPECIAL.fullmatch(text):
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        for pattern, what in _AMBIGUOUS.items():
            if pattern.fullmatch(text):
                raise self.error(
                    event,
                    f"{_spell(path)}: '{text}' is {what}",
                    hint=f'quote it: "{text}", or write it plainly',
                    fault="Y05",
                )
        return text

    def location(self, event: Any) -> Location:
        mark = event.start_mark
        return Location(path=self.source, line=mark.line + 1, column=mark.column + 1)

    def error(self, event: Any, message: str, *, fault: str, hint: str | None = None) -> ConfigError:
        return ConfigError(message, at=self.location(event), hint=hint, fault=fault)


def _spell(path: Key) -> str:
    """classes[0], train.engine."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "the document"


def _syntax(error: yaml.MarkedYAMLError, source: Path | str, text: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    at = Location(path=source, line=line, column=column)
    lines = text.split("\n")
    here = lines[line - 1] if line <= len(lines) else ""
    if here[: column + 1].lstrip(" ").startswith("\t") or "'\\t'" in str(error.problem):
        return ConfigError("tab used for indentation", at=at, hint="use spaces", fault="Y02")
    return ConfigError(f"{error.problem or error.context}", at=at, hint="check the indentation", fault="Y02")

"""Nets and solvers as text: read strictly, with line and column of errors; real Caffe can read what is written.

Rules of the text (checked against real Caffe 1.0): a second occurrence of any optional field, scalar or message, is
an error; unknown fields are errors; enums are case-sensitive; integers may be hexadecimal or octal (`010` is 8).
"""

from __future__ import annotations

import logging
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeVar

from google.protobuf import text_format
from google.protobuf.message import Message

from workflow.errors import Location, PrototxtError
from workflow.formats import caffe_pb2, forks
from workflow.formats.files import read_whole
from workflow.formats.hints import unknown_field, unknown_value
from workflow.formats.outline import Entry, OutlineError, Step, join_signs, line_and_column, outline
from workflow.formats.text import decode
from workflow.formats.upgrade import upgrade_net, upgrade_solver
from workflow.formats.upgrade_error import UpgradeError
from workflow.storage import atomic_write

MAX_BYTES = 2**20
"""A prototxt of more than 1 MiB is some other file."""

M = TypeVar("M", bound=Message)

_UNKNOWN = re.compile(r'Message type "caffe\.([\w.]+)" has no field named "([^"]*)"')
_TWICE = re.compile(r'should not have multiple "(\w+)" fields')
_VALUE = re.compile(r'Enum type "caffe\.([\w.]+)" has no value (?:named|with number) (.*)\.$')
_POSITION = re.compile(r"^\d+:\d+ : ")


def parse(text: str, message_type: type[M], *, source: Path | str = "<text>") -> M:
    """Read one message.

    Args:
        text: the prototxt.
        message_type: such as `caffe_pb2.NetParameter`.
        source: what error messages call the text.

    Raises:
        PrototxtError: always with line and column; X01 unknown field, X02 a field twice or a bracket open,
            X03 more than 1 MiB or more than 100 blocks deep.
    """
    message = message_type()
    message.CopyFrom(_parsed(text, message_type, source))  # type: ignore[arg-type]  # a class can be hashed
    return message


@lru_cache(maxsize=16)  # one command reads its net several times
def _parsed(text: str, message_type: type[M], source: Path | str) -> M:
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise PrototxtError(
            f"{source} is larger than {MAX_BYTES} bytes", at=Location(path=source, line=1, column=1), fault="X03"
        )
    text = join_signs(text)
    try:
        entries = outline(text)
    except OutlineError as error:
        at = _location(text, source, error.offset)
        fault = "X03" if "deeper" in error.message else "X02"
        raise PrototxtError(
            f"{source} {error.message}" if fault == "X03" else error.message, at=at, fault=fault
        ) from None
    message = message_type()
    unknown = forks.find(entries, message_type)
    wrong = [field for field in unknown if not (field.obeyed or field.ignored)]
    if wrong and len(wrong) < len(unknown):  # protobuf would stop at the first one, which may be harmless
        raise _unknown(wrong[0].message, wrong[0].name, _location(text, source, wrong[0].entry.offset), message_type)
    try:
        text_format.Parse(
            forks.without_engines(text, entries), message, allow_unknown_field=bool(unknown) and not wrong
        )
    except text_format.ParseError as error:
        raise _translate(error, text, entries, message_type, source) from None
    except RecursionError:
        at = Location(path=source, line=1, column=1)
        raise PrototxtError(f"{source} nests too deep", at=at, fault="X03") from None
    _require(message, text, entries, source)
    for field in unknown:
        if field.obeyed:
            forks.obey(message, field)
    _say_ignored(source, tuple(dict.fromkeys(field.name for field in unknown if field.ignored)))
    return message


def read_net(path: Path) -> caffe_pb2.NetParameter:
    """A net, upgraded as Caffe upgrades every net that it reads (V0, V1, `input` fields, BatchNorm).

    An old format is mentioned once for each file, as a warning (X08).

    Raises:
        PrototxtError: the file is missing, not UTF-8, no net, or has no layer.
    """
    text = _read(path)
    net = parse(text, caffe_pb2.NetParameter, source=path)
    try:
        net, notes = upgrade_net(net)
    except UpgradeError as error:
        at = _at(outline(text), error.path, text, path)
        raise PrototxtError(error.message, at=at, hint=error.hint, fault=error.fault) from None
    if not net.layer:
        at = Location(path=path, line=1, column=1)
        raise PrototxtError(f"{path} has no layers", at=at, hint="is this the net's file?")
    _say_once(path, notes)
    return net


def read_solver(path: Path) -> caffe_pb2.SolverParameter:
    """A solver; the old `solver_type: NESTEROV` becomes `type: "Nesterov"`.

    Raises:
        PrototxtError: the file is missing, not UTF-8, empty, or no solver.
    """
    text = _read(path)
    solver = parse(text, caffe_pb2.SolverParameter, source=path)
    if not solver.ListFields():
        at = Location(path=path, line=1, column=1)
        raise PrototxtError(f"{path} is empty", at=at, hint="a solver must at least name its net")
    try:
        solver, notes = upgrade_solver(solver)
    except UpgradeError as error:
        at = _at(outline(text), error.path, text, path)
        raise PrototxtError(error.message, at=at, hint=error.hint, fault=error.fault) from None
    _say_once(path, notes)
    return solver


def render(message: Message) -> str:
    """The message as prototxt; floats in the fewest digits that give the same float32."""
    return text_format.MessageToString(message, as_utf8=True)


def write(path: Path, message: Message) -> None:
    """Replace `path` by the message as prototxt, as a whole."""
    atomic_write(Path(path), render(message).encode())


def locate(path: Path, *steps: Step) -> Location:
    """The location of a field in a file: `locate(path, "layer", 3, "pooling_param", 0, "kernel_w", 0)`.

    Numbers count the fields of that name in their block, from 0. What is not written there is located by the
    innermost block that is; the file alone where nothing is known. For error messages: it never raises.
    """
    text = _text_or_nothing(path)
    try:
        return _at(outline(text), steps, text, path) if text else Location(path=path)
    except OutlineError:
        return Location(path=path)


def locate_layer(path: Path, name: str, *steps: Step) -> Location:
    """The location of a layer in a net's file, or of one of its fields: `locate_layer(path, "pool1", "top", 0)`.

    Found by the layer's name, so that it works for nets that were upgraded after reading. Never raises.
    """
    text = _text_or_nothing(path)
    try:
        entries = outline(text)
    except OutlineError:
        return Location(path=path)
    for entry in entries:
        if entry.value == name and entry.path[0] in ("layer", "layers") and entry.path[2:] in _NAMES:
            return _at(entries, (*entry.path[:2], *steps), text, path)
    return Location(path=path)


_NAMES = (("name", 0), ("layer", 0, "name", 0))  # V2 and V1, V0


def _read(path: Path) -> str:
    data = read_whole(Path(path), error=PrototxtError)
    if len(data) > MAX_BYTES:
        at = Location(path=path, line=1, column=1)
        raise PrototxtError(f"{path} is larger than {MAX_BYTES} bytes", at=at, fault="X03")
    return decode(data, path, error=PrototxtError)


def _text_or_nothing(path: Path) -> str:
    try:
        return decode(Path(path).read_bytes(), path, error=PrototxtError)
    except (OSError, PrototxtError):
        return ""


@cache  # once for each file and process
def _say_once(path: Path, notes: tuple[str, ...]) -> None:
    if notes:
        logging.getLogger("workflow").warning(
            "%s is in an old format (%s); upgraded while reading", path, ", ".join(notes)
        )


@cache
def _say_ignored(source: Path | str, names: tuple[str, ...]) -> None:
    if names:
        logging.getLogger("workflow").warning(
            "%s has fields of Caffe's forks that do not change the results; ignored: %s",
            source,
            ", ".join(names),
        )


# ---- positions and complaints ---------------------------------------------------------------------------------


def _location(text: str, source: Path | str, offset: int) -> Location:
    line, column = line_and_column(text, offset)
    return Location(path=source, line=line, column=column)


def _at(entries: list[Entry], steps: tuple[Step, ...], text: str, source: Path | str) -> Location:
    """The place of the longest written beginning of `steps`; 1:1 where nothing of it is written."""
    places = {entry.path: entry.offset for entry in reversed(entries)}
    for length in range(len(steps), 0, -1):
        if steps[:length] in places:
            return _location(text, source, places[steps[:length]])
    return Location(path=source, line=1, column=1)


def _translate(
    error: text_format.ParseError, text: str, entries: list[Entry], message_type: type[Message], source: Path | str
) -> PrototxtError:
    line, column = error.GetLine() or 1, error.GetColumn() or 1
    at = Location(path=source, line=line, column=column)
    said = _POSITION.sub("", str(error))
    if match := _UNKNOWN.search(said):
        return _unknown(match[1], match[2], at, message_type)
    if match := _TWICE.search(said):
        return _twice(match[1], (line, column), text, entries, source)
    if match := _VALUE.search(said):
        return PrototxtError(
            f"{match[2]} is not a value of {match[1]}", at=at, hint=unknown_value(match[1], match[2]), fault="X01"
        )
    # protobuf puts the line of the text in front of some of its sentences
    lines = text.split("\n")
    if line <= len(lines):
        said = said.removeprefix(f"'{lines[line - 1]}': ")
    return PrototxtError(said[:1].lower() + said[1:].rstrip("."), at=at, fault="X02" if "Expected" in said else "X01")


def _unknown(message: str, name: str, at: Location, outermost: type[Message]) -> PrototxtError:
    hint = unknown_field(message, name, outermost.DESCRIPTOR.name)
    return PrototxtError(f"unknown field '{name}' in {message}", at=at, hint=hint, fault="X01")


def _twice(name: str, position: tuple[int, int], text: str, entries: list[Entry], source: Path | str) -> PrototxtError:
    """Protobuf names the value of the second occurrence; the reader wants both names."""
    at = Location(path=source, line=position[0], column=position[1])
    said = f"field '{name}' given twice"
    for entry in reversed(entries):
        if entry.path[-2] == name and line_and_column(text, entry.offset) <= position:
            at = _location(text, source, entry.offset)
            first = _at(entries, (*entry.path[:-1], 0), text, source)
            said += f", first on line {first.line}"
            break
    return PrototxtError(said, at=at, fault="X02")


def _require(message: Message, text: str, entries: list[Entry], source: Path | str) -> None:
    if message.IsInitialized():
        return
    errors: list[str] = message.FindInitializationErrors()  # type: ignore[attr-defined]  # missing in the stubs
    missing = errors[0]  # such as layer[3].clip_param.max
    steps: list[Step] = []
    for step in missing.split("."):
        name, _, index = step.rstrip("]").partition("[")
        steps += [name, int(index or 0)]
    at = _at(entries, tuple(steps), text, source)
    raise PrototxtError(f"'{steps[-2]}' is missing in {missing.rpartition('.')[0]}", at=at, fault="X02")

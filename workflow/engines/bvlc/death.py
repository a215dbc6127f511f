"""Explain why a worker process ended, as an error of the right class with Caffe's own words."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

from workflow.engines.caffe_log import Entry, split
from workflow.errors import DatabaseError, EnvironmentFault, ModelError, WorkflowError

_PARSER = re.compile(r"\[libprotobuf ERROR [^\]]*\] (.*)")
_CREATING = re.compile(r"Creating Layer (.+)")
_TRACE = re.compile(r"\*\*\* |PC: @|\s+@ |\x1e")  # glog's stack trace says nothing to a user
_INTERNAL = "Check failed: "

_BY_FILE: dict[str, type[WorkflowError]] = {
    "data_layer": DatabaseError,
    "db": DatabaseError,
    "db_leveldb": DatabaseError,
    "db_lmdb": DatabaseError,
    "syncedmem": EnvironmentFault,
}
"""File of Caffe's source (no ending) where it stopped -> class of the error, whatever was asked for."""


def explain(status: int, lines: Sequence[str], blame: type[WorkflowError]) -> WorkflowError:
    """The error for a worker that has ended.

    Args:
        status: its exit status; minus a signal's number where one killed it.
        lines: the last lines that it printed.
        blame: class of the error when Caffe itself refused what was asked for.
    """
    fatal = _fatal(lines) if status == -signal.SIGABRT else None  # else it is of a snapshot's process, long gone
    if fatal is not None:
        return _refused(fatal, lines, blame)
    if status < 0:
        return _killed(signal.Signals(-status), lines, blame)
    return EnvironmentFault(f"caffe's process ended with status {status}{_last_words(lines)}")


def fatal_words(lines: Sequence[str]) -> str:
    """What glog's FATAL line says, "" if there is none."""
    fatal = _fatal(lines)
    return _plain(fatal.message) if fatal else ""


def _fatal(lines: Sequence[str]) -> Entry | None:
    return next((entry for entry in map(split, reversed(lines)) if entry and entry.level == "F"), None)


def _refused(fatal: Entry, lines: Sequence[str], blame: type[WorkflowError]) -> WorkflowError:
    kind = _BY_FILE.get(fatal.file.partition(".")[0], blame)
    words = _plain(fatal.message)
    complaints = [match[1] for line in lines if (match := _PARSER.match(line))]
    if complaints:
        words = f"{words}: {complaints[-1]}"
    hint = "wf verify looks into the generation's databases" if kind is DatabaseError else None
    return kind(f"real Caffe reports: {_layer(lines)}{words}", hint=hint, fault=_fault(kind, fatal))


def _fault(kind: type[WorkflowError], fatal: Entry) -> str:
    if kind is DatabaseError and "No such file" in fatal.message:
        return "L01"
    return "C02" if kind is ModelError and "shape mismatch" in fatal.message else ""


def _layer(lines: Sequence[str]) -> str:
    """`layer 'conv1': ` for the layer that was being set up at the end, "" if every net was finished."""
    for entry in map(split, reversed(lines)):
        if entry is None or entry.level != "I":
            continue
        if match := _CREATING.fullmatch(entry.message):
            return f"layer '{match[1]}': "
        if entry.message.startswith(("Setting up ", "Network initialization done")):
            break  # that layer is whole; what went wrong since belongs to none yet
    return ""


def _killed(by: signal.Signals, lines: Sequence[str], blame: type[WorkflowError]) -> WorkflowError:
    said = f"caffe's process was killed by {by.name}"
    if by is signal.SIGFPE:  # such as stride_h without stride_w
        return blame(f"{_layer(lines)}{said}, a division by zero", hint="look for a size that is 0 or half given")
    if by is signal.SIGKILL:
        hint = "a smaller batch_size in the net needs less memory"
        return EnvironmentFault(f"{said} (out of memory?){_last_words(lines)}", hint=hint, fault="T13")
    if by is signal.SIGBUS:
        return DatabaseError(f"{said}: a database is probably damaged", hint="wf verify says which", fault="L03")
    return EnvironmentFault(f"{said}{_last_words(lines)}", fault="T13")


def _last_words(lines: Sequence[str]) -> str:
    words = [line.strip() for line in lines if line.strip() and not _TRACE.match(line)][-3:]
    return f"; its last words: {' | '.join(words)}" if words else ""


def _plain(message: str) -> str:
    return message.removeprefix(_INTERNAL).strip()

"""The only place that prints: results on stdout, messages on stderr."""

from __future__ import annotations

import json
import logging
import math
import os
import sys
import textwrap
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from workflow import __version__
from workflow.errors import WorkflowError

if TYPE_CHECKING:
    from workflow.api.result import Skipped

_PLACE = "\0"  # where the items of a long list go
_NAMED = 5  # skipped files that are named


class Console:
    """The output of a run: results, messages, warnings and errors.

    Args:
        as_json: stdout is one JSON document and nothing else.
        quiet: no messages; warnings and errors are still printed.
        debug: tracebacks beside errors.
    """

    def __init__(self, *, as_json: bool = False, quiet: bool = False, debug: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.debug = debug
        self._answered = False

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Console:
        """The console for a command line that is not parsed yet, so usage errors are printed in the right form."""
        flags = arguments[: arguments.index("--")] if "--" in arguments else arguments
        return cls(as_json="--json" in flags, quiet="-q" in flags or "--quiet" in flags, debug="--debug" in flags)

    @property
    def live(self) -> bool:
        """Whether stderr is a terminal on which progress may be updated in place."""
        return not self.quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def result(self, document: Mapping[str, Any], text: str) -> None:
        """Print the result of a command: the document with --json, else the text."""
        self._answered = True
        print(_json(document) if self.as_json else fitted(text, sys.stdout))

    def listing(
        self, document: Mapping[str, Any], key: str, items: Iterable[Mapping[str, Any]], lines: Iterable[str]
    ) -> None:
        """Print a result with a list too long for memory: `items` in place of `document[key]`, or else `lines`."""
        self._answered = True
        if not self.as_json:
            for line in lines:
                print(fitted(line, sys.stdout))
            return
        head, tail = _json(dict(document) | {key: [_PLACE]}).split(json.dumps(_PLACE))
        for number, item in enumerate(items):
            print(",\n    " if number else head, _json(item).replace("\n", "\n    "), sep="", end="")
        print(tail)

    def say(self, text: str) -> None:
        """Print a message about progress."""
        if not self.quiet:
            print(fitted(text, sys.stderr), file=sys.stderr, flush=True)

    def warn(self, text: str) -> None:
        """Print a warning: something that the user should know and that stops nothing."""
        print(fitted(f"warning: {text}", sys.stderr), file=sys.stderr, flush=True)

    def skipped(self, files: Sequence[Skipped]) -> None:
        """Files that could not be read: the first few, and how many more."""
        for one in files[:_NAMED]:
            self.warn(f"skipped {one.path}: it {one.reason}")
        if len(files) > _NAMED:
            self.warn(f"skipped {len(files) - _NAMED:,} more files")

    def error(self, error: WorkflowError) -> None:
        """Print why the command ends: on stderr, and with --json also on stdout, unless the result is there."""
        if self.debug:
            traceback.print_exception(error)
        more = f"\nmore: wf help {error.fault}" if error.fault else ""
        print(fitted(f"error: {error}{more}", sys.stderr), file=sys.stderr, flush=True)
        self._document(error)

    def stopped(self, word: str) -> None:
        """Print that the user or the system ended the command: `interrupted`, `terminated`."""
        self.say(word)
        self._document(WorkflowError(word))

    def _document(self, error: WorkflowError) -> None:
        if self.as_json and not self._answered:
            self._answered = True
            print(_json({"error": _facts(error)}), flush=True)

    def urgent(self, text: str) -> None:
        """Print from inside a signal handler, where the buffered streams may be in use."""
        os.write(2, f"{text}\n".encode(errors="backslashreplace"))

    @contextmanager
    def warnings_shown(self) -> Iterator[None]:
        """Print the library's log: warnings, and information as messages."""
        handler = _Warnings(self)
        logger = logging.getLogger("workflow")
        before = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            logger.setLevel(before)
            logger.removeHandler(handler)


def show_version() -> None:
    """`wf 0.1.0`."""
    print(f"wf {__version__}")


class _Warnings(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self._console = console
        self._said: set[str] = set()  # the train net and the test net complain of the same mean

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text not in self._said:
            self._said.add(text)
            (self._console.warn if record.levelno >= logging.WARNING else self._console.say)(text)


def fitted(text: str, stream: TextIO) -> str:
    """Break long lines between words on a terminal.

    A path stays whole, and so does a line that is a command: it is to be copied.
    """
    if not stream.isatty():
        return text
    import shutil  # with four modules that compress

    width = shutil.get_terminal_size().columns
    return "\n".join(
        line if len(line) <= width or line.lstrip().startswith("wf ") else _broken(line, width)
        for line in text.split("\n")
    )


def _broken(line: str, width: int) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        line,
        width,
        subsequent_indent=f"{indent}    ",
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _facts(error: WorkflowError) -> dict[str, Any]:
    facts = {"id": error.fault, "message": error.message, "hint": error.hint, "path": None}
    if error.at is not None:
        facts |= {"path": str(error.at.path)}
        facts |= {name: value for name in ("line", "column") if (value := getattr(error.at, name))}
    return facts


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(_plain(document), indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    """Paths as text, tuples as lists, arrays' numbers as numbers; NaN and infinity, which JSON lacks, as null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):  # a number of numpy's
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

"""The place where exceptions become messages and exit codes.

0 done; 1 to 6 as the tree in `workflow.errors` says; 70 a bug in wf; 130 interrupted; 141 stdout was
closed; 143 terminated.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click

from workflow.cli.console import Console
from workflow.errors import EnvironmentFault, UsageError, WorkflowError, system_errors

INTERRUPTED = 130
BROKEN_PIPE = 141
TERMINATED = 143


@dataclass(kw_only=True)
class State:
    """State known before the command: passed down as the context's `obj`."""

    console: Console
    command: tuple[str, ...]
    """The command line, for the record."""
    config: Path | None = None
    directory: Path | None = None
    """Value of `-C`."""


class Boundary(click.Group):
    """The group of all commands; nothing that a user can cause leaves it as a traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002  (click's signature; this group always stands alone)
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run one command line and exit."""
        arguments = _as_flags(list(sys.argv[1:] if args is None else args))
        console = Console.of(arguments)
        state = State(console=console, command=("wf", *arguments))
        _escape_what_cannot_be_shown()
        # process-wide: to silence them around each call is not safe among threads
        warnings.filterwarnings("ignore", module=r"PIL\.")  # remarks on odd metadata; what matters is an exception
        typed = " ".join(["wf", *[word for word in arguments if word in self.commands][:1]])
        with console.warnings_shown(), _terminable(), _told(console, typed):
            if _explains_a_fault(arguments, console):
                sys.exit(0)
            code = super().main(
                args=arguments,
                prog_name=prog_name or "wf",
                complete_var=complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                obj=state,
                **extra,
            )
            sys.stdout.flush()  # here, where a closed pipe is still caught
            sys.exit(code if isinstance(code, int) else 0)
        raise AssertionError("sys.exit leaves")  # for the type checker: a context manager might swallow it

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list of commands in `wf --help`, under their headings."""
        del ctx
        panels: dict[str, list[tuple[str, str]]] = {}
        width = max(map(len, self.commands))
        for name, command in self.commands.items():
            panel = getattr(command, "panel", "") or "Commands"
            summary = command.get_short_help_str(formatter.width - width - 6)
            panels.setdefault(panel, []).append((f"{name:{width}}", summary))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)

    def invoke(self, ctx: Any) -> Any:
        """As click does, and report that a Ctrl-C or a SIGTERM has arrived."""
        console = ctx.ensure_object(State).console
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            console.stopped("interrupted")
            raise
        except SystemExit as leaving:
            if leaving.code == TERMINATED:
                console.stopped("terminated")
            raise


def _as_flags(arguments: list[str]) -> list[str]:
    """`wf help twin` is `wf twin --help`, and `wf version` is `wf --version`."""
    if arguments[:1] == ["help"]:
        return [*arguments[1:], "--help"]
    return ["--version", *arguments[1:]] if arguments[:1] == ["version"] else arguments


def _explains_a_fault(arguments: list[str], console: Console) -> bool:
    """`wf help L03`: print the entry of an error's code."""
    asked = [word for word in arguments if not word.startswith("-")]
    if "--help" not in arguments or len(asked) != 1 or not re.fullmatch(r"[A-Za-z]\d\d", asked[0]):
        return False
    from workflow.faults import fault, words

    console.result({"id": asked[0].upper()} | fault(asked[0])._asdict(), words(asked[0]))
    return True


@contextmanager
def _told(console: Console, typed: str) -> Iterator[None]:
    """Turn any exception into a message and an exit code.

    Args:
        console: where the message goes.
        typed: `wf next`, for the hint of an error that does not know its command.
    """
    try:
        with system_errors():
            yield
    except WorkflowError as error:
        code = _tell(console, error)
    except click.ClickException as error:  # click's own: unknown options, missing arguments
        code = _tell(console, _usage(error, typed))
    except click.Abort:  # click's word for a KeyboardInterrupt
        code = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered has nowhere to go
        code = BROKEN_PIPE
    except ImportError as error:
        code = _tell(console, _not_installed(error) if not (error.name or "").startswith("workflow") else _bug(error))
    except Exception as error:  # the last line: everything else is a bug, and is called one
        code = _tell(console, _bug(error))
    else:
        return
    sys.exit(code)


def _tell(console: Console, error: WorkflowError) -> int:
    try:
        console.error(error)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return error.exit_code


def _usage(error: click.ClickException, typed: str) -> WorkflowError:
    message = error.format_message().strip().rstrip(".")
    context = getattr(error, "ctx", None)  # missing where the parser finds no value for an option
    path = getattr(context, "command_path", typed)
    usage = UsageError(message[:1].lower() + message[1:], hint=f"{path} --help")
    usage.__cause__ = error
    return usage


def _not_installed(error: ImportError) -> WorkflowError:
    fault = EnvironmentFault(
        f"a package that wf needs cannot be imported: {error}",
        hint="install wf again: scripts/install, or pip install wf",
    )
    fault.__cause__ = error
    return fault


def _bug(error: Exception) -> WorkflowError:
    bug = WorkflowError(
        f"this is a bug in wf: {type(error).__name__}: {error}",
        hint="run the same command with --debug and report what it prints",
    )
    bug.__cause__ = error
    return bug


@contextmanager
def _terminable() -> Iterator[None]:
    """Turn SIGTERM into an exception with exit code 143, so temporary files are removed and locks released."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: object) -> NoReturn:  # noqa: ARG001  (a handler's signature)
        sys.exit(TERMINATED)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _escape_what_cannot_be_shown() -> None:
    """Write characters that a stream cannot encode, as in odd file names, as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")

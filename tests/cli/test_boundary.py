"""Whatever a command raises becomes one message and one exit code."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import warnings
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from workflow import errors
from workflow.cli.boundary import Boundary
from workflow.errors import Location


def run(act: Callable[[], None], *flags: str) -> Result:
    """A command line whose only command does `act`."""
    flag = [click.Option([f"--{name}"], is_flag=True, expose_value=False) for name in ("json", "debug", "quiet")]
    app = Boundary("wf", params=flag, commands={"command": click.Command("command", callback=act)})
    return CliRunner().invoke(app, [*flags, "command"])


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.FindingError, 1),
        (errors.UsageError, 2),
        (errors.ConfigError, 2),
        (errors.PrototxtError, 2),
        (errors.NetError, 2),
        (errors.DataError, 3),
        (errors.DatabaseError, 3),
        (errors.ModelError, 3),
        (errors.DivergedError, 4),
        (errors.BusyError, 5),
        (errors.EnvironmentFault, 6),
        (errors.EngineMissing, 6),
        (errors.WorkflowError, 70),
    ],
)
def test_each_branch_of_the_tree_has_its_exit_code(kind: type[errors.WorkflowError], code: int) -> None:
    result = run(raising(kind("it broke", at=Location(path="a.yaml", line=3), hint="mend it", fault="Z01")), "--json")
    assert result.exit_code == code
    assert result.stderr == "error: it broke\n --> a.yaml:3\nhint: mend it\nmore: wf help Z01\n"
    expected = {"id": "Z01", "message": "it broke", "hint": "mend it", "path": "a.yaml", "line": 3}
    assert json.loads(result.stdout) == {"error": expected}


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "gen1/x"), 6, "gen1/x: no space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", "gen1"), 6, "gen1: permission denied"),
        (MemoryError(), 6, "not enough memory"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "a.tmp-7", None, "a"), 2, "cannot write a: is a directory"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "a/b"), 2, "cannot write a/b: not a directory"),
        (FileNotFoundError(errno.ENOENT, "No such file", "x"), 70, "this is a bug in wf: FileNotFoundError"),
        (ZeroDivisionError("a / 0"), 70, "this is a bug in wf: ZeroDivisionError: a / 0"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.exceptions.Exit(7), 7, ""),
    ],
)
def test_what_comes_from_elsewhere(error: BaseException, code: int, words: str) -> None:
    result = run(raising(error))
    assert result.exit_code == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_debug_shows_the_traceback() -> None:
    result = run(raising(ZeroDivisionError("a / 0")), "--debug")
    assert "Traceback" in result.stderr
    assert "in raising" in result.stderr or "in act" in result.stderr
    assert "--debug" in result.stderr  # the hint stays


def test_a_command_without_fault_exits_with_0_and_says_nothing() -> None:
    result = run(lambda: None)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_warnings_of_the_library_are_shown_on_stderr() -> None:
    result = run(lambda: logging.getLogger("workflow").warning("skipped %d of %d", 3, 900), "--quiet")
    assert result.stderr == "warning: skipped 3 of 900\n"
    assert not logging.getLogger("workflow").handlers


def test_the_same_warning_is_said_once() -> None:
    result = run(lambda: [logging.getLogger("workflow").warning("mean is all zero") for _ in range(2)])
    assert result.stderr == "warning: mean is all zero\n"


def test_sigterm_unwinds_and_exits_with_143(tmp_path: Path) -> None:
    """Temporary files are taken away by the blocks that made them."""
    left = tmp_path / "temporary"

    def act() -> None:
        left.touch()
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        finally:
            left.unlink()

    result = run(act, "--json")
    assert result.exit_code == 143
    assert result.stderr == "terminated\n"
    assert json.loads(result.stdout)["error"]["message"] == "terminated"
    assert not left.exists()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_name_that_is_no_text_is_shown_escaped() -> None:
    result = run(raising(errors.DataError("cannot read " + os.fsdecode(b"caf\xe9.png"))))
    assert "caf\\udce9.png" in result.stderr


def test_remarks_of_pillow_on_odd_files_are_not_shown():
    """Whatever reads the picture, and in whichever thread: pytest makes an exception of every warning shown."""

    def remark() -> None:
        warnings.warn_explicit("Invalid APNG", UserWarning, "PngImagePlugin.py", 1, module="PIL.PngImagePlugin")

    assert run(remark).exit_code == 0
    assert run(lambda: warnings.warn("something else", stacklevel=1)).exit_code == 70


def test_a_package_that_is_missing_is_no_bug() -> None:
    result = run(raising(ModuleNotFoundError("No module named 'torch'", name="torch")))
    assert result.exit_code == 6
    assert "hint: install wf again" in result.stderr
    assert run(raising(ImportError("cannot import name 'x'", name="workflow.x"))).exit_code == 70

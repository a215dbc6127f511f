"""Command lines run in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from workflow.cli.app import build

APP = build()


@dataclass(frozen=True)
class Ran:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


Run = Callable[..., Ran]


def run_wf(*arguments: str | Path, code: int | None = 0) -> Ran:
    """Run `wf` with these arguments; None takes any exit code."""
    result = CliRunner().invoke(APP, [str(argument) for argument in arguments], prog_name="wf")
    ran = Ran(result.exit_code, result.stdout, result.stderr)
    if code is not None:
        assert ran.code == code, ran.err
    return ran

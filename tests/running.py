"""Command lines run in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from workflow.cli.app import GROUPS, NAMES, build

APP = build()
_INNER = {function for _, functions in GROUPS.values() for function in functions}


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


_MODES = {"--apply", "--undo", "--page", "--compare", "--onnx", "--bundle", "--generations", "--promote", "--folds"}
"""Options with which a command gives something else."""

RECORDED = Path(__file__).with_name("json_keys.json")
"""Command -> keys of its `--json` that scripts rely on. RECORD_JSON_KEYS=1 writes those that all tests have seen."""


def run_wf(*arguments: str | Path, code: int | None = 0) -> Ran:
    """Run `wf` with these arguments; None takes any exit code."""
    result = CliRunner().invoke(APP, [str(argument) for argument in arguments], prog_name="wf")
    ran = Ran(result.exit_code, result.stdout, result.stderr)
    if code is not None:
        assert ran.code == code, ran.err
    if "--json" in arguments and ran.code == 0 and (command := command_in(arguments)):
        _check_keys(command, ran.json)
    return ran


def command_in(arguments: Sequence[str | Path]) -> str:
    """`twin`, `net show`, or `suspects --undo`; nothing for `help L03`."""
    words = [word for word in map(str, arguments) if word in NAMES or word in _INNER]
    modes = [word for word in map(str, arguments) if word in _MODES]
    return " ".join([*words[: 2 if words[0] in GROUPS else 1], *modes]) if words else ""


def _check_keys(command: str, document: Any) -> None:
    """Nothing that a script may read has gone."""
    one = document[0] if isinstance(document, list) else document
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    if "RECORD_JSON_KEYS" in os.environ:
        recorded[command] = [key for key in one if key in recorded.get(command, one)]
        RECORDED.write_text(json.dumps(dict(sorted(recorded.items())), indent=1) + "\n", encoding="utf-8")
    missing = [key for key in recorded[command] if key not in one]
    assert not missing, f"wf {command} --json has no longer {missing}"

"""Results on stdout, talk on stderr."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest

from workflow.cli.console import Console, fitted
from workflow.errors import DataError, Location


def test_flags_are_seen_anywhere_before_the_double_dash() -> None:
    seen = Console.of(["train", "--json", "-q", "--", "--debug"])
    assert (seen.as_json, seen.quiet, seen.debug) == (True, True, False)


def test_json_is_one_document_and_talk_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(as_json=True)
    console.say("working")
    console.warn("odd")
    values = {"path": Path("a/b"), "nan": math.nan, "deep": [(np.float32(0.5), -math.inf)], "name": "caf\udce9"}
    console.result(values, "text for people")
    out, err = capsys.readouterr()
    assert json.loads(out) == {"path": "a/b", "nan": None, "deep": [[0.5, None]], "name": "caf\udce9"}
    assert err == "working\nwarning: odd\n"


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    Console().result({"a": 1}, "done")
    assert capsys.readouterr().out == "done\n"


def test_quiet_leaves_results_warnings_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(quiet=True)
    console.say("working")
    console.warn("odd")
    console.error(DataError("bad", at=Location(path="x")))
    assert capsys.readouterr().err == "warning: odd\nerror: bad\n --> x\n"


def test_an_error_behind_the_result_leaves_stdout_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(as_json=True)
    console.result({"checked": 3}, "")
    console.error(DataError("a difference"))
    out, err = capsys.readouterr()
    assert json.loads(out) == {"checked": 3}
    assert "a difference" in err


def test_nobody_watches_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Console().live
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    assert not Console().live


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_long_lines_are_broken_between_words_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    row = "  airplane      1,000     0.7733  0.7640  precision"
    text = f"short\n{row}\n{'x' * 50}"
    assert fitted(text, io.StringIO()) == text  # a file keeps its lines
    lines = fitted(text, Terminal()).split("\n")
    assert lines == ["short", "  airplane      1,000     0.7733  0.7640", "      precision", "x" * 50]
    assert " ".join(lines).split() == text.split()


def test_a_command_to_be_copied_stays_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = f"  wf suspects --apply {'generations/' * 4}suspects.csv"
    assert fitted(text, Terminal()) == text

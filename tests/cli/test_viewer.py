"""Opening pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.cli.console import Console
from workflow.cli.viewer import show_pictures


def test_a_desktop_without_a_program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.setenv("PATH", "/nowhere")
    show_pictures(Console(), [Path("a.png"), Path("b.png")])
    assert capsys.readouterr().err == "warning: no program found to open a.png\n"

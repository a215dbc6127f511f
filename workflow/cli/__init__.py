"""The command line: one thin file for each command, one error boundary, one place that prints."""

from __future__ import annotations

import sys


def main() -> None:
    """The console script `wf`."""
    if sys.argv[1:] == ["--version"]:
        from workflow.cli.console import show_version  # without Typer, which takes longer than the answer

        show_version()
        return
    from workflow.cli.app import app

    app(prog_name="wf")

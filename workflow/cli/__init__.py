"""The command line: one thin file for each command, one error boundary, one place that prints."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The console script `wf`."""
    if sys.argv[1:] in (["--version"], ["version"]):
        from workflow.cli.console import show_version  # without Typer, which takes longer than the answer

        show_version()
        return
    # numpy's BLAS gains nothing from threads on nets this small, and loses much where other processes run beside it;
    # PyTorch has threads of its own
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from workflow.cli.app import app

    app(prog_name="wf")

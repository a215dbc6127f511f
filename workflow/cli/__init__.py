"""The command line: a thin file for each command, one error boundary, one place that prints."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """The console script `wf`."""
    if sys.argv[1:] in (["--version"], ["version"]):
        from workflow.cli.console import show_version  # without Typer, which takes longer than the answer

        show_version()
        return
    gc.set_threshold(
        100_000
    )  # importing makes many objects and no garbage: looking for some took 6 % of a short command
    # numpy's BLAS gains nothing from threads on nets this small, and loses much where other processes run beside it;
    # PyTorch has threads of its own
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # OpenMP's threads, PyTorch's too, spin while they wait for each other: beside a busy process a training iteration
    # then takes several times as long; after this many rounds they sleep
    if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
        os.environ["GOMP_SPINCOUNT"] = "1000"
    from workflow.cli.app import NAMES, build

    build(NAMES.intersection(sys.argv[1:2]) or NAMES)(prog_name="wf")

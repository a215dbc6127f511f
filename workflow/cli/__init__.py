"""The command line: a thin file for each command, one error boundary, one place that prints."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The console script `wf`."""
    if sys.argv[1:] in (["--version"], ["version"]):
        from workflow.cli.console import show_version  # without click, which takes longer than the answer

        show_version()
        return
    from workflow import cores, garbage, lean_torch

    garbage.collect_rarely()
    os.environ.update(cores.sparing())
    lean_torch.leave_out_shape_kernels()
    from workflow.cli.app import NAMES, build

    build(NAMES.intersection(sys.argv[1:2]) or NAMES)(prog_name="wf")

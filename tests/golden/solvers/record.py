#!/usr/bin/env python3
"""Record 20 updates of real Caffe's six solvers: writes NAME.npz beside this file. Needs `.caffe/`.

    tests/golden/solvers/record.py

tests/solvers/runs.py tells what a run is; tests/solvers/test_golden.py replays them.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PYTHON = ROOT / ".venv" / "bin" / "python"
ORIGIN = {
    "by": "real Caffe: the wheel kendryte-caffe 1.0.0.20210829 (BVLC's master with a few more layers), CPU",
    "command": "tests/golden/solvers/record.py",
}


def main() -> int:
    """Record all runs."""
    from solvers.runs import record, write

    with tempfile.TemporaryDirectory() as folder:
        for name, run in record(Path(folder)).items():
            sys.stdout.write(f"{name}: {write(HERE / f'{name}.npz', run, ORIGIN)} bytes\n")
    return 0


if __name__ == "__main__":
    if Path(sys.prefix) != PYTHON.parents[1]:
        os.execv(PYTHON, [str(PYTHON), *sys.argv])
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    sys.exit(main())

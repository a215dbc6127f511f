"""Runs a snippet in real Caffe's own Python: arrays go in and come out as npz files."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CAFFE_PYTHON = Path(__file__).parents[1] / ".caffe" / "bin" / "python"

_HEAD = """
import sys, numpy as np, caffe
caffe.set_mode_cpu()
given = dict(np.load(sys.argv[1]))
result = {}
"""
_TAIL = """
np.savez(sys.argv[2], **result)
"""


def run_caffe(
    python: Path, snippet: str, folder: Path, **arrays: NDArray[np.generic]
) -> Mapping[str, NDArray[np.generic]]:
    """Execute `snippet` with `caffe`, `np` and the dict `given`; what it puts into the dict `result` comes back.

    It runs in `folder`, so that relative paths in prototxt files mean the same as for us.
    """
    script, inputs, outputs = (folder / name for name in ("_caffe.py", "_given.npz", "_result.npz"))
    script.write_text(_HEAD + snippet + _TAIL)
    np.savez(inputs, **arrays)  # type: ignore[arg-type]
    environment = os.environ | {"GLOG_minloglevel": "2", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [str(python), script.name, inputs.name, outputs.name],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"real Caffe failed ({done.returncode}):\n{done.stderr[-3000:]}")
    with np.load(outputs) as result:
        return {name: result[name] for name in result.files}

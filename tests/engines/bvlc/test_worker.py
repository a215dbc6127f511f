"""The worker from inside, in Caffe's own Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workflow.engines.bvlc import python

WORKER = Path(python.__file__).with_name("worker.py")
PROGRAM = """
import runpy, sys
import numpy as np
caffe = runpy.run_path(sys.argv[1])["import_caffe"]()
print("skimage" in sys.modules, "scipy" in sys.modules)
picture = np.linspace(0, 1, 7 * 5 * 3, dtype="f").reshape(7, 5, 3)
small, four = caffe.io.resize_image(picture, (3, 4)), caffe.io.resize_image(picture[..., [0, 1, 2, 0]], (3, 4))
from skimage.transform import resize
from scipy.ndimage import zoom
print(np.allclose(small, resize(picture, (3, 4), order=1, mode='constant'), atol=1e-5), four.shape, callable(zoom))
"""


@pytest.mark.caffe
def test_what_reads_pictures_is_imported_when_a_layer_uses_it() -> None:
    done = subprocess.run(
        [python.find(), "-c", PROGRAM, WORKER],
        capture_output=True,
        text=True,
        check=True,
        env={"GLOG_minloglevel": "2"},
    )
    assert done.stdout.splitlines() == ["False False", "True (3, 4, 4) True"]


HANGS = """
import os, runpy, signal, sys
forks, fork = [], os.fork

def counted():
    forks.append(len(forks))
    return fork()

class Solver:
    def snapshot(self):
        if len(forks) < int(sys.argv[2]):
            signal.pause()

os.fork = counted
module = runpy.run_path(sys.argv[1])
worker = module["Worker"].__new__(module["Worker"])
worker.solver = Solver()
module["Worker"].snapshot.__globals__["SNAPSHOT_SECONDS"] = (0.1, 0.1, 60)
print(worker.snapshot()[0]["status"], len(forks))
"""


@pytest.mark.parametrize("good", [1, 3])
def test_a_snapshot_whose_process_hangs_is_tried_again(good: int) -> None:
    """As one does that was forked while another thread held a lock."""
    done = subprocess.run([sys.executable, "-c", HANGS, WORKER, str(good)], capture_output=True, text=True, check=True)
    status, forks = done.stdout.split()
    assert status == "0"
    assert int(forks) >= good

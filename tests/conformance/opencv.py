"""What OpenCV's reader of Caffe nets makes of layers that only forks of Caffe have: a second witness, forward only.

OpenCV is in no environment of this project; `tests/golden/layers/record.py --opencv PYTHON` runs one that has it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from conformance.case import Case
from conformance.recording import Recording
from numpy.typing import NDArray

from workflow.formats import blobproto, caffe_pb2, caffemodel

_SNIPPET = """
import sys, cv2, numpy as np
result = {'version': np.array(cv2.__version__)}
for name in sys.argv[1:]:
    sys.stderr.write('net %s\\n' % name)
    given = np.load(name + '/given.npz')
    net = cv2.dnn.readNetFromCaffe(name + '/net.prototxt', name + '/weights.caffemodel')
    for key in given:
        net.setInput(given[key], 'b' + key)
    result[name] = net.forward('one')
np.savez('result.npz', **result)
"""


def record(cases: Mapping[str, tuple[str, Case]], folder: Path, *, python: Path) -> tuple[dict[str, Recording], str]:
    """Run nets of one top in one process.

    Args:
        cases: name -> (layer type, net).
        folder: an empty folder for the process and its files.
        python: an interpreter that can `import cv2`, of OpenCV 4 (5 has no reader of Caffe nets).

    Returns:
        Recordings without gradients, and OpenCV's version.

    Raises:
        AssertionError: OpenCV stopped; the message ends with what it said.
    """
    for name, (kind, case) in cases.items():
        (folder / name).mkdir()
        (folder / name / "net.prototxt").write_text(case.prototxt(kind))
        blobs = [blobproto.from_array(blob) for blob in case.blobs]
        weights = caffe_pb2.NetParameter()
        weights.layer.add(name="one", type=kind, blobs=blobs)
        caffemodel.write(folder / name / "weights.caffemodel", weights)
        given = {str(index): array for index, array in enumerate(case.bottoms)}
        np.savez(folder / name / "given.npz", **given)  # type: ignore[arg-type]  # savez's own names are no digits
    done = subprocess.run(
        [str(python), "-c", _SNIPPET, *cases],
        cwd=folder,
        env=os.environ | {"OPENCV_LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"OpenCV failed ({done.returncode}):\n{done.stderr[-3000:]}")
    with np.load(folder / "result.npz") as result:
        tops = {name: result[name] for name in cases}
        version = str(result["version"])
    return {name: _recording(kind, case, tops[name]) for name, (kind, case) in cases.items()}, version


def _forks_order(rows: NDArray[np.generic]) -> NDArray[np.generic]:
    """Detections as the fork has them: by item, class and probability, without rows of zeros behind the last one.

    OpenCV goes by item and probability, and has as many rows as `keep_top_k` allows.
    """
    found = rows.reshape(-1, 7)
    found = found[found.any(axis=1)]
    order = np.lexsort((-found[:, 2], found[:, 1], found[:, 0]))
    return found[order].reshape(1, 1, -1, 7)


def _recording(kind: str, case: Case, top: NDArray[np.generic]) -> Recording:
    if kind == "DetectionOutput":
        top = _forks_order(top)
    recording: dict[str, NDArray[np.generic]] = {"net": np.array(case.prototxt(kind)), "top/0/y0": top}
    recording |= {f"bottom/{index}": array for index, array in enumerate(case.bottoms)}
    return recording | {f"blob/one/{index}": array for index, array in enumerate(case.blobs)}

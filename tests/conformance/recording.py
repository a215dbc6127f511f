"""What real Caffe makes of random nets: inputs, parameters, tops and all gradients, as flat named arrays.

Keys of a recording: `net` (the prototxt), `bottom/I`, `file/NAME`, `blob/LAYER/I` (parameters before the first pass),
`top/PASS/NAME` (outputs of each forward pass), `top_diff/NAME`, `bottom_diff/I`, `blob_diff/LAYER/I`, and
`after/LAYER/I` for parameters that the passes themselves changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from caffe_process import CAFFE_PYTHON, run_caffe
from conformance.case import Case
from numpy.typing import NDArray

Recording = Mapping[str, NDArray[np.generic]]

_SNIPPET = """
import os
home = os.getcwd()
for name in [str(one) for one in given['names']]:
    os.chdir(os.path.join(home, name))
    sys.stderr.write('conformance net %s: %s\\n' % (name, open('net.prototxt').read()))
    sys.stderr.flush()
    def put(key, array):
        result[name + '/' + key] = array.copy()
    def mine(what):
        head = '%s/%s/' % (name, what)
        return sorted((key[len(head):], given[key]) for key in given if key.startswith(head))
    net = caffe.Net('net.prototxt', caffe.TRAIN)
    rng = np.random.RandomState(7)
    blobs = [(layer, i, blob) for layer, many in net.params.items() for i, blob in enumerate(many)]
    preset = dict(mine('blob'))
    for layer, i, blob in blobs:
        if layer.startswith('feed'):
            continue
        if layer == 'one' and preset:
            blob.data[...] = preset[str(i)]
        else:
            blob.data[...] = rng.normal(size=blob.data.shape)
        put('blob/%s/%d' % (layer, i), blob.data)
    before = [blob.data.copy() for _, _, blob in blobs]
    for turn in range(int(given[name + '/forwards'])):
        for index, array in mine('bottom'):
            net.blobs['b' + index].data[...] = array
        net.forward()
        for top in net.outputs:
            put('top/%d/%s' % (turn, top), net.blobs[top].data)
    for (layer, i, blob), old in zip(blobs, before):
        if not np.array_equal(blob.data, old):
            put('after/%s/%d' % (layer, i), blob.data)
    if int(given[name + '/backward']):
        for top in net.outputs:
            net.blobs[top].diff[...] = rng.normal(size=net.blobs[top].diff.shape)
            put('top_diff/%s' % top, net.blobs[top].diff)
        net.backward()
        for index, array in mine('bottom'):
            if index not in [str(one) for one in given[name + '/fixed']]:
                put('bottom_diff/' + index, net.blobs['b' + index].diff)
        for layer, i, blob in blobs:
            if not layer.startswith('feed'):
                put('blob_diff/%s/%d' % (layer, i), blob.diff)
    net = blobs = blob = None  # its threads read files of this folder ahead: they end with it
os.chdir(home)
"""


def record(cases: Mapping[str, tuple[str, Case]], folder: Path, *, python: Path = CAFFE_PYTHON) -> dict[str, Recording]:
    """Run nets in one process of real Caffe.

    Args:
        cases: name -> (layer type, net).
        folder: an empty folder for the process and its files.
        python: an interpreter that can `import caffe`.

    Raises:
        AssertionError: Caffe stopped; the message ends with its log, in which the last net is the culprit.
    """
    given: dict[str, NDArray[np.generic]] = {"names": np.array(list(cases))}
    for name, (kind, case) in cases.items():
        (folder / name).mkdir()
        for file, content in {"net.prototxt": case.prototxt(kind).encode(), **case.files}.items():
            (folder / name / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / file).write_bytes(content)
        given |= {f"{name}/bottom/{index}": array for index, array in enumerate(case.bottoms)}
        given |= {f"{name}/blob/{index}": array for index, array in enumerate(case.blobs)}
        given |= {f"{name}/forwards": np.array(case.forwards), f"{name}/backward": np.array(case.backward)}
        given[f"{name}/fixed"] = np.array(case.fixed, dtype=int)
    said = run_caffe(python, _SNIPPET, folder, **given)
    recordings: dict[str, dict[str, NDArray[np.generic]]] = {}
    for name, (kind, case) in cases.items():
        recordings[name] = {"net": np.array(case.prototxt(kind))}
        recordings[name] |= {f"bottom/{index}": array for index, array in enumerate(case.bottoms)}
        recordings[name] |= {
            f"file/{file}": np.frombuffer(content, np.uint8).copy() for file, content in case.files.items()
        }
    for key, array in said.items():
        name, _, rest = key.partition("/")
        recordings[name][rest] = array
    return dict(recordings)


def debian_python(root: Path, folder: Path) -> Path:
    """A program that runs Python in the Debian 11 under `root`, in the folder that it is started in; for root only.

    Args:
        root: made by `debootstrap --include=caffe,python3-caffe,libopenblas0-pthread bullseye ROOT`.
        folder: a folder under `root/tmp` to put the program into.
    """
    program = folder / "python"
    program.write_text(
        f'#!/bin/sh\ninside=${{PWD#{root}}}\nexec chroot {root} sh -c \'cd "$0" && exec python3 "$@"\' "$inside" "$@"\n'
    )
    program.chmod(0o755)
    return program

"""Runs a snippet in real Caffe's own Python: arrays go in and come out as npz files.

Importing Caffe takes longer than most snippets. So one process imports it, and forks for each snippet.
"""

from __future__ import annotations

import atexit
import os
import select
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CAFFE_PYTHON = Path(__file__).parents[1] / ".caffe" / "bin" / "python"

_SECONDS = 300  # that a snippet may take

# Clearing the names destroys nets and solvers, some of which write their files only then.
_SERVER = """
import gc, os, sys, traceback
import numpy as np, caffe
caffe.set_mode_cpu()

def run(folder):
    os.chdir(folder)
    sys.path.insert(0, folder)
    log = os.open('_caffe.log', os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)
    names = {'__name__': '__main__', 'sys': sys, 'np': np, 'caffe': caffe, 'result': {}}
    names['given'] = dict(np.load('_given.npz'))
    with open('_caffe.py') as file:
        exec(compile(file.read(), '_caffe.py', 'exec'), names)
    np.savez('_result.npz', **names['result'])
    names.clear()
    gc.collect()

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            run(line.rstrip())
            code = 0
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitpid(child, 0)[1], flush=True)
"""


def run_caffe(
    python: Path, snippet: str, folder: Path, **arrays: NDArray[np.generic]
) -> Mapping[str, NDArray[np.generic]]:
    """Execute `snippet` with `caffe`, `np` and the dict `given`; what it puts into the dict `result` comes back.

    It runs in a process of its own in `folder`, so that relative paths in prototxt files mean the same as for us.
    """
    (folder / "_caffe.py").write_text(snippet)
    np.savez(folder / "_given.npz", **arrays)  # type: ignore[arg-type]
    server = _server(python)
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(f"{folder.resolve()}\n")
    server.stdin.flush()
    if not select.select([server.stdout], [], [], _SECONDS)[0]:
        server.kill()
        raise AssertionError(f"real Caffe took more than {_SECONDS} seconds")
    status = server.stdout.readline().strip()
    if status != "0":
        log = folder / "_caffe.log"
        said = log.read_text(errors="replace")[-3000:] if log.exists() else "it did not start"
        raise AssertionError(f"real Caffe failed ({status}):\n{said}")
    with np.load(folder / "_result.npz") as result:
        return {name: result[name] for name in result.files}


@cache
def _server(python: Path) -> subprocess.Popen[str]:
    """A process that has imported Caffe; it ends with this one."""
    environment = os.environ | {"GLOG_minloglevel": "2", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    server = subprocess.Popen(
        [str(python), "-c", _SERVER], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(server.communicate)
    return server

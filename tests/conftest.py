"""What every test may ask for: real data beside the checkout, real Caffe in .caffe/."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode adds no folder: helpers beside this file

from caffe_process import CAFFE_PYTHON, run_caffe

from workflow import cores

ROOT = Path(__file__).parents[1]

# On a busy machine any example may take any time, and many of them write files.
settings.register_profile("suite", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


_ROOM = 4 * 2**30  # bytes: many times what the tests write at once


def pytest_configure() -> None:
    """Hear Ctrl-C, and let child processes hear it: what a script starts in the background inherits a deaf ear."""
    gc.disable()  # until all is collected
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _share_cores()
    _keep_bytecode()
    _write_to_memory()


def _share_cores() -> None:
    """Compute as `wf` does; of several test processes, each with its part of the cores.

    With `-n 0` a test computes on all cores. Tests of several threads ask for their number.
    """
    os.environ.update(cores.sparing())
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes > 1:
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores.available() // processes)))


def _keep_bytecode() -> None:
    """Compile each module once, although PYTHONDONTWRITEBYTECODE is set.

    Otherwise each of the processes that tests start compiles all of wf again, and each test process rewrites the
    assertions of all tests.
    """
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def _write_to_memory() -> None:
    """Keep the tests' folders in memory where there is room: a disk takes the time that many small files are synced in.

    Only the folders of tests that failed are kept (in pyproject.toml). PYTEST_DEBUG_TEMPROOT names another place.
    """
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


LONG = (
    *("web/test_browser", "training/test_run", "web/test_jobs", "api/test_snapshot", "api/test_project"),
    *("cli/test_inspect", "demo/test_steps", "cli/test_train", "training/test_seeds", "api/test_docs"),
    *("interpretation/test_generations_film", "cli/test_next", "data/test_prepare_killed", "report/test_lineage"),
    *("test_examples", "engines/bvlc/test_training", "training/test_faults", "training/test_growth", "web/test_server"),
)
"""The files that take longest: they begin first, so that at the end no core waits for another."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files, and skip what needs real Caffe where it is not installed; in CI it must be."""
    places = {f"{name}.py": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.relative_to(ROOT / "tests").as_posix(), len(LONG)))
    if CAFFE_PYTHON.exists() or os.environ.get("CI"):
        return
    skip = pytest.mark.skip(reason="real Caffe is not installed: run scripts/install_caffe")
    for item in items:
        if item.get_closest_marker("caffe"):
            item.add_marker(skip)


def pytest_collection_finish() -> None:
    """Look for garbage among what the tests make only: what was imported and collected stays to the end.

    To look through all of it again and again took a tenth of the time.
    """
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real pictures and models in ../shared/data, beside the checkout on the developers' machines."""
    if os.environ.get("CI"):
        pytest.skip("the shared data are not used in CI")
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no shared data in {folder}")
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder that is the current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def real_caffe(tmp_path: Path) -> Callable[..., Mapping[str, NDArray[np.generic]]]:
    """Run a snippet in real Caffe; see caffe_process.run_caffe. Use with the marker `caffe`."""
    return partial(run_caffe, CAFFE_PYTHON, folder=tmp_path)

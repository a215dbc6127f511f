"""Who does a work, and where its results are made: on this machine, or in a folder that all machines see."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workflow.cluster.crew import Crew, Workers
from workflow.config import Cluster
from workflow.errors import BusyError

FOLDER = ".cluster"
"""In the project's folder; each work has a folder there, which an interrupted one leaves for the next run."""

_MONTH = 30 * 24 * 60 * 60  # seconds: what has not been touched for so long is nobody's


def afar(cluster: Cluster, items: int) -> bool:
    """Whether other machines are asked: not for a single part."""
    return cluster.address is not None and items > cluster.part


def crew(cluster: Cluster, workers: Workers) -> Crew:
    """The crew that the settings ask for; `workers` are those of this machine."""
    if cluster.address is None:
        from workflow.cluster.here import Here

        return Here(workers)
    from workflow.cluster.remote import Remote

    return Remote(cluster)


@contextmanager
def results(cluster: Cluster, project: Path, key: Callable[[], str]) -> Iterator[Path]:
    """A folder for the results of parts, removed when the block has ended well.

    Args:
        cluster: the settings; on this machine the folder is a temporary one.
        project: the project's folder.
        key: gives a word that differs where the results would.

    Raises:
        BusyError: T10, another process does the same.
        OSError: as the operating system says it.
    """
    if cluster.address is None:
        with tempfile.TemporaryDirectory(prefix="wf-parts-") as name:
            yield Path(name)
        return
    root = (project / FOLDER).absolute()
    _sweep(root)
    folder = root / key()[:32]
    folder.mkdir(parents=True, exist_ok=True)
    with _held(folder.with_suffix(".lock"), folder):
        yield folder
        shutil.rmtree(folder)
    with suppress(OSError):  # others are at work there
        root.rmdir()


@contextmanager
def _held(path: Path, folder: Path) -> Iterator[None]:
    import filelock  # 40 ms that work on this machine does not need

    lock = filelock.FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise BusyError(
            f"another process does the same work in {folder}", hint="wait until it is finished, or stop it", fault="T10"
        ) from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.release()


def _sweep(root: Path) -> None:
    with suppress(FileNotFoundError):
        for path in root.iterdir():
            if time.time() - path.stat().st_mtime > _MONTH:
                shutil.rmtree(path, ignore_errors=True)

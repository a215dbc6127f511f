"""Which engines can run here; importing this imports neither an engine nor numpy."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msgspec import structs

from workflow.engines import INSTALL, get, names
from workflow.engines.status import Status
from workflow.errors import EngineMissing
from workflow.remembered import remembered


def statuses() -> tuple[Status, ...]:
    """Which engines can run here, in the order of `engines.names`; each as `status` says."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as together:  # one imports PyTorch while another waits for real Caffe to start
        return tuple(together.map(status, names()))


def status(name: str) -> Status:
    """Whether an engine can run here; one that ran is not started again until its files change: that takes seconds."""
    failed: list[Status] = []

    def start() -> dict[str, Any] | None:
        found = _started(name)
        if not found.ready:
            failed.append(found)
            return None
        return structs.asdict(found)

    found = remembered(f"engine-{name}", _files(name), start)
    return failed[0] if failed else Status(**found)


def _started(name: str) -> Status:
    if name == "caffe":
        from workflow.engines.bvlc import python

        try:
            python.find()
        except EngineMissing as error:  # told without the engine's module, which imports numpy
            return Status(name=name, ready=False, version="", trains=True, hint=error.hint or python.HINT)
    try:
        return get(name).status()
    except EngineMissing as error:
        return Status(name=name, ready=False, version="", trains=name != "numpy", hint=f"{error.message}; {INSTALL}")


def _files(name: str) -> list[Path]:
    """Files that change when what does the work is installed anew; none where it is not found."""
    if name == "caffe":
        return _files_of_caffe()
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        return []
    folder = Path(spec.origin).parent
    return [folder / "version.py", *sorted(folder.glob("_C.*")), *sorted(folder.glob("lib/*.so"))]


def _files_of_caffe() -> list[Path]:
    from workflow.engines.bvlc import python

    try:
        interpreter = python.find()
    except EngineMissing:
        return []
    libraries = list(_libraries(interpreter))
    return [interpreter, interpreter.resolve(), *libraries] if libraries else []


def _libraries(interpreter: Path) -> Iterator[Path]:
    """Pycaffe's compiled module, beside this Python or in Debian's place."""
    yield from sorted(interpreter.parents[1].glob("lib/python3*/*-packages/caffe/_caffe*"))

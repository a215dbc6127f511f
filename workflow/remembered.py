"""Answers about this machine that take seconds to find, kept in the user's cache while the files they rest on stay."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from workflow.storage import atomic_write
from workflow.version import __version__


def remembered(name: str, files: Iterable[Path], find: Callable[[], Any]) -> Any:
    """What `find` answers now, or answered earlier while these files were as they are.

    Where the cache cannot be written, `find` is asked each time.

    Args:
        name: of the answer's file in the cache.
        files: files and folders that the answer rests on; one may be missing. None at all: nothing is kept.
        find: gives the answer as JSON knows it, or None, which is not kept.
    """
    basis: Any = [__version__, [[str(path), *_state(path)] for path in files]]
    if not basis[1]:
        return find()
    kept = _folder() / f"{name}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads(kept.read_text("utf-8"))
        if found["basis"] == basis:
            return found["answer"]
    answer = find()
    if answer is not None:
        with suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(kept, json.dumps({"basis": basis, "answer": answer}).encode())
    return answer


def _folder() -> Path:
    """`~/.cache/wf`; see the XDG Base Directory Specification."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "wf"


def _state(path: Path) -> list[int]:
    """Size and time of change; nothing of what is not there."""
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]

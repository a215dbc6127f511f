"""Folders that are made once in each test process; later tests get the same files from memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path


def made_once(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Call `make(folder)` the first time only; after that, write what it left there into the folder.

    What it makes must not depend on the folder's path or on the moment.
    """
    made: dict[Path, bytes | None] = {}

    @wraps(make)
    def make_or_copy(folder: Path) -> None:
        if not made:
            before = set(folder.rglob("*"))
            make(folder)
            for path in sorted(set(folder.rglob("*")) - before):
                assert not path.is_symlink(), path
                made[path.relative_to(folder)] = None if path.is_dir() else path.read_bytes()
            return
        for path, data in made.items():
            if data is None:
                (folder / path).mkdir(parents=True, exist_ok=True)
            else:
                (folder / path).write_bytes(data)

    return make_or_copy

"""Tars of pictures for tests, as WebDataset's writers and tar make them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path


def entry(name: str, kind: bytes = tarfile.REGTYPE, **facts: object) -> tarfile.TarInfo:
    """A member without data."""
    found = tarfile.TarInfo(name)
    found.type = kind
    for fact, value in facts.items():
        setattr(found, fact, value)
    return found


def pack(path: Path, members: Mapping[str, bytes], *others: tarfile.TarInfo) -> Path:
    """A tar of members with their data, and of others without."""
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            tar.addfile(entry(name, size=len(data)), io.BytesIO(data))
        for one in others:
            tar.addfile(one)
    return path


def pack_folder(path: Path, folder: Path) -> Path:
    """A tar of all files below a folder, by the names that they have there."""
    files = sorted(one for one in folder.rglob("*") if one.is_file())
    return pack(path, {one.relative_to(folder).as_posix(): one.read_bytes() for one in files})

"""Read whole files, with the same errors for missing, forbidden and too large ones."""

from __future__ import annotations

import re
from pathlib import Path

from workflow.errors import EnvironmentFault, WorkflowError
from workflow.paths import PROTOCOLS, redacted

MAX_MESSAGE = 2**31 - 1
"""Caffe and protobuf read no message of 2 GiB or more."""

_LFS = b"version https://git-lfs"


def read_whole(
    path: Path, *, error: type[WorkflowError], limit: int = MAX_MESSAGE, hint: str | None = None, fault: str = ""
) -> bytes:
    """The bytes of a regular file.

    Args:
        path: the file.
        error: what to raise for a file that is missing, no file, or over the limit.
        limit: the largest size in bytes that makes sense.
        hint: what to do about a missing file; the closest name beside it if None.
        fault: row of the catalogue of faults for a missing file.

    Raises:
        WorkflowError: of the class `error`.
        EnvironmentFault: the operating system refuses (permission, input/output error).
    """
    try:
        if not path.is_file():
            if path.exists():
                raise error(f"{path} {_other_than_file(path)}", hint=hint, fault=fault)
            message, help_ = missing(path)
            raise error(message, hint=hint or help_, fault=fault)
        size = path.stat().st_size
        if size > limit:
            raise error(f"{path} has {size} bytes; at most {limit} are read", fault=fault)
        data = path.read_bytes()
    except OSError as reason:
        raise EnvironmentFault(f"cannot read {path}: {reason.strerror or reason}") from reason
    if data.startswith(_LFS):
        raise error(f"{path} is a git-lfs pointer, not the file itself", hint="git lfs pull", fault=fault)
    return data


def _other_than_file(path: Path) -> str:
    if (path / "data.mdb").is_file():
        return "is an LMDB, expected a file"
    if (path / "CURRENT").is_file():
        return "is a LevelDB, expected a file"
    return "is a folder, expected a file" if path.is_dir() else "is not a regular file"


def missing(path: Path) -> tuple[str, str]:
    """The message for a missing file or folder, and a hint: the closest name, or how to download it."""
    # a path has one slash where the address had two
    address = re.match(rf"(https?|{'|'.join(PROTOCOLS)}):/+(.+)", str(path))
    if address is not None:
        url = redacted(f"{address[1]}://{address[2]}")
        if address[1] in ("http", "https"):
            return f"{url} is a web address; wf reads files", f"download it first, for example: curl -LO {url}"
        return f"{url} is an address", "this command reads files, not object stores; download it first"
    if path.is_symlink():
        return f"{path} is a link to {path.readlink()}, which does not exist", "remove or correct the link"
    near = closest(path)
    return f"{path} does not exist", f"did you mean {near}?" if near else "check the path"


def closest(path: Path) -> Path | None:
    """The file or folder beside a missing one whose name is most like its own, if one is like it."""
    from difflib import get_close_matches  # which only an error needs

    try:
        beside = {one.stem: one for one in sorted(path.parent.iterdir(), reverse=True)}
    except OSError:
        return None
    close = get_close_matches(path.stem, beside, n=1)  # without endings, which make b.png and a.png look alike
    return beside[close[0]] if close else None

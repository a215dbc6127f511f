"""Recognise network file systems, on which LMDB's memory-mapped files are not safe."""

from __future__ import annotations

import os
import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    {
        "9p",
        "afs",
        "afpfs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "fhgfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs3",
        "nfs4",
        "ocfs2",
        "pvfs2",
        "smb2",
        "smb3",
        "smbfs",
        "webdav",
    }
)


def network_file_system(path: Path) -> str | None:
    """The type of the network or FUSE file system that `path` is on (`nfs4`, `cifs`, `fuse.sshfs`), or None.

    The path need not exist yet; its nearest existing folder counts. None, too, where the system has no
    /proc/self/mountinfo. (L09)
    """
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    kind = kind_of(os.path.realpath(path), mounts)
    return kind if kind in _NETWORK or kind.startswith("fuse.") else None


def kind_of(path: str, mounts: str) -> str:
    """The type of the file system with the longest mount point above an absolute path; the last of equals.

    Args:
        path: absolute, without symbolic links.
        mounts: the text of /proc/self/mountinfo.
    """
    best, kind = "", ""
    for line in mounts.splitlines():
        fields, _, rest = line.partition(" - ")
        if len(columns := fields.split(" ")) < 5 or not rest:
            continue
        point = _unescape(columns[4])
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, rest.split(" ")[0]
    return kind


def _unescape(point: str) -> str:
    """Mountinfo writes a space as backslash 040."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), point)

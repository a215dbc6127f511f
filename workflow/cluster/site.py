"""What all machines that do a work must have alike: the versions of the programs, and the folders that they see."""

from __future__ import annotations

import os
import platform
import secrets
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from msgspec import Struct

from workflow.cluster.parts import Part
from workflow.cluster.work import Work
from workflow.errors import EnvironmentFault
from workflow.storage import create
from workflow.version import __version__

MARKER = "seen-by-all-workers"
"""A file in the folder of the results, whose bytes no other folder holds."""


class Site(Struct, frozen=True, kw_only=True):
    """What the machine has that gives out the work."""

    versions: dict[str, str]
    """Of Python, wf and Ray."""
    current: str
    """The folder that relative paths are relative to."""
    folder: str
    """The folder of the results."""
    marker: bytes
    """What `MARKER` holds there."""
    sample: bytes | None
    """One of the files that the work reads."""

    @classmethod
    def here(cls, work: Work, first: Part, folder: Path) -> Site:
        """This machine's, for a work whose first part is known.

        Raises:
            OSError: the marker cannot be written.
        """
        folder = folder.absolute()
        with suppress(FileExistsError):  # of an earlier run
            create(folder / MARKER, secrets.token_bytes(16))
        return cls(
            versions=versions(),
            current=str(Path.cwd()),
            folder=str(folder),
            marker=(folder / MARKER).read_bytes(),
            sample=next((one for one in work.reads(first) if os.path.isfile(one)), None),  # noqa: PTH113
        )

    def check(self, host: str) -> None:
        """Look whether the machine that this process runs on has the same.

        Args:
            host: what it is called.

        Raises:
            EnvironmentFault: R02, another version; R03, it does not see a folder or a file.
        """
        for name, theirs in versions().items():
            if theirs != (ours := self.versions[name]):
                raise EnvironmentFault(
                    f"the worker {host} has {name} {theirs}, but here it is {name} {ours}",
                    hint=f"install {name} {ours} there",
                    fault="R02",
                )
        if not _holds(Path(self.folder, MARKER), self.marker):
            raise _unseen(host, f"the folder {self.folder}")
        if not Path(self.current).is_dir():
            raise _unseen(host, f"the folder {self.current}")
        if self.sample is not None:
            path = os.path.join(os.fsencode(self.current), self.sample)  # noqa: PTH118  # as the file system has it
            if not os.path.isfile(path):  # noqa: PTH113
                raise _unseen(host, os.fsdecode(path))


def versions() -> dict[str, str]:
    """Of what computes, by name."""
    return {"Python": platform.python_version(), "wf": __version__, "Ray": metadata.version("ray")}


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False


def _unseen(host: str, what: str) -> EnvironmentFault:
    return EnvironmentFault(
        f"the worker {host} does not see {what}",
        hint="the project and the pictures belong in a folder that all machines see under the same path",
        fault="R03",
    )

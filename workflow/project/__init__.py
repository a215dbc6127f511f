"""The initial files of a project: configs/ and prototxt/, from the wheel or from a checkout."""

from __future__ import annotations

import shutil
from pathlib import Path

from workflow.errors import UsageError
from workflow.storage import replacing

VARIABLE = "WF_PROJECT"
"""The environment variable that names the project folder."""

FOLDERS = ("configs", "prototxt")
_GITIGNORE = "/generations/\n/inbox/\n"


def shipped() -> Path:
    """The folder that holds configs/ and prototxt/: this package in an installed wheel, the root of a checkout."""
    here = Path(__file__).parent
    return here if (here / "configs").is_dir() else here.parents[1]


def find(start: Path) -> Path | None:
    """The project that contains a folder: the folder itself or the closest parent; None if there is none.

    A project has a configs/default.yaml, or generations in generations/.
    """
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if _is_project(folder)), None)


def _is_project(folder: Path) -> bool:
    return (folder / "configs" / "default.yaml").is_file() or any(folder.glob("generations/gen[0-9]*"))


def start(folder: Path) -> list[Path]:
    """Make `folder` a project: copy configs/ and prototxt/ there, and a .gitignore.

    Returns:
        The files written.

    Raises:
        UsageError: a file that would be written exists; nothing is written then.
    """
    copies = {
        folder / source.relative_to(shipped()): source
        for name in FOLDERS
        for source in sorted((shipped() / name).iterdir())
    }
    ignore = folder / ".gitignore"
    standing = [path for path in copies if path.exists()]
    if standing:
        raise UsageError(
            f"{standing[0]} exists" + (f" (and {len(standing) - 1} more)" if len(standing) > 1 else ""),
            hint="name another folder, or move these files away",
        )
    for target, source in copies.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as temporary:
            shutil.copyfile(source, temporary)
    if not ignore.exists():  # an existing one is the user's
        ignore.write_text(_GITIGNORE, encoding="utf-8")
        return [*copies, ignore]
    return list(copies)

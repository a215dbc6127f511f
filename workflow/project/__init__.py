"""Where a project is, and the files that it begins with: configs/ and prototxt/."""

from __future__ import annotations

from pathlib import Path

VARIABLE = "WF_PROJECT"
"""The environment variable that names the project folder."""

FOLDERS = ("configs", "prototxt")


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

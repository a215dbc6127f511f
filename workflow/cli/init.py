"""wf init."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from workflow.cli.options import Call
from workflow.cli.parameters import Argument

NEXT = """{path} is a project: settings in configs/, nets and solvers in prototxt/
next:{enter}
  put labelled pictures into images/CLASS/, one folder for each class
  wf prepare
  wf train"""


def init(
    call: Call,
    folder: Annotated[Path, Argument(metavar="DIR", help="The folder; it is created if needed.")] = Path(),
) -> None:
    """Create a project folder with settings, nets and solvers."""
    from workflow.project import start

    written = start(folder)
    enter = "" if folder.resolve() == Path().resolve() else f"\n  cd {folder}"
    document = {"path": folder, "files": [path.relative_to(folder) for path in written]}
    call.console.result(document, NEXT.format(path=folder.resolve(), enter=enter))

"""wf init."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

from workflow.cli.options import Call
from workflow.cli.parameters import Argument, Option

NEXT = """{path} is a project: settings in configs/, nets and solvers in prototxt/
next:{enter}
  put labelled pictures into images/CLASS/, one folder for each class
  wf prepare
  wf train"""
ADDED = """{path} has recipe {recipe}
next:{enter}
  wf prepare --config {settings}
  wf train --config {settings}"""


def init(
    call: Call,
    folder: Annotated[Path, Argument(metavar="DIR", help="The folder; it is created if needed.")] = Path(),
    recipe: Annotated[
        str,
        Option("--recipe", metavar="NAME", help="The net and its training; wf recipes compares them."),
    ] = "classic",
) -> None:
    """Create a project folder, or add a recipe to a project.

    wf init mybot
    wf init mybot --recipe quick-plus
    """
    from workflow.project.recipes import named
    from workflow.project.starting import has_settings, start

    existing = has_settings(folder)
    written = start(folder, recipe)
    enter = "" if folder.resolve() == Path().resolve() else f"\n  cd {shlex.quote(str(folder))}"
    document = {"path": folder, "recipe": recipe, "files": [path.relative_to(folder) for path in written]}
    settings = f"configs/{named(recipe).settings}"
    text = (ADDED if existing else NEXT).format(path=folder.resolve(), enter=enter, recipe=recipe, settings=settings)
    call.console.result(document, text)

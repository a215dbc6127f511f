"""wf blame."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call

if TYPE_CHECKING:
    pass


def blame(
    call: Call, image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A picture, wherever it lies now.")]
) -> None:
    """Tell which generation brought a picture in, and its fate since.

    wf blame images/cat/12.png
    """
    from workflow.evaluation.picture_history import blame as find  # numpy and Pillow, which --help does not need
    from workflow.report.blame import describe

    found = find(call.settings(), image)
    call.console.result(found.json(), describe(found))

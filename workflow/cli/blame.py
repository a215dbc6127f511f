"""wf blame."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from workflow.cli.options import Call
from workflow.cli.parameters import Argument


def blame(
    call: Call,
    image: Annotated[Path, Argument(metavar="IMAGE", help="A picture; its contents are looked up, not its path.")],
) -> None:
    """Show which generation added a picture, and all predictions.

    wf blame images/cat/12.png
    """
    call.give(call.project().blame(image))

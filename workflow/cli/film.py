"""wf film."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from workflow.cli.options import Call, Gen, InspectOut
from workflow.cli.parameters import Argument, Option

if TYPE_CHECKING:
    from workflow.api import Finding


def film(
    call: Call,
    image: Annotated[Path, Argument(metavar="IMAGE", help="A picture file.")],
    gen: Gen = None,
    generations: Annotated[
        str | None,
        Option("--generations", metavar="4,5|all", help="Compare these generations instead of the snapshots of one."),
    ] = None,
    best: Annotated[
        bool, Option("--best", help="With --generations: the most accurate snapshot of each, not the newest.")
    ] = False,
    blobs: Annotated[
        list[str] | None,
        Option("--blob", metavar="NAME", help="Show this blob; repeatable (default: as in wf inspect)."),
    ] = None,
    out: InspectOut = None,
    show: Annotated[bool, Option("--show", help="Open the pictures.")] = False,
) -> None:
    """Show one picture through all snapshots, or all generations.

    Writes a GIF, a strip of its frames, and the probabilities. Channel numbers of nets that were trained
    separately do not correspond: with --generations, the channels of the newest generation are matched with those
    of the others by the correlation of their activations on its test pictures. A channel without a significant
    match is grey.

    wf film strange.png --gen 5
    wf film strange.png --generations all
    """
    from workflow.errors import UsageError

    if generations is None and best:
        raise UsageError("--best needs --generations", hint="wf film IMAGE --generations all --best")
    if generations is not None and gen is not None:
        raise UsageError("--gen and --generations cannot be used together", hint="use one of them")
    project = call.project()
    found: Finding[Any]
    if generations is None:
        with call.counting("filming", "snapshots") as progress:
            found = project.film(image, gen=gen, blobs=blobs, progress=progress)
    else:
        numbers = _numbers(generations)
        with call.counting("matching channels", "pictures") as progress:
            found = project.generations_film(image, numbers, best=best, blobs=blobs, progress=progress)
    call.give(found, out, show=show)


def _numbers(text: str) -> list[int] | None:
    """`4,5` as numbers; None for `all`.

    Raises:
        UsageError: it is neither.
    """
    from workflow.errors import UsageError

    if text.strip() == "all":
        return None
    if not re.fullmatch(r"\s*(gen)?\d+\s*(,\s*(gen)?\d+\s*)*", text):
        raise UsageError(f"--generations '{text}' is not a list of generations", hint="--generations 4,5 or all")
    return [int(number) for number in re.findall(r"\d+", text)]

"""wf film."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, Gen, InspectOut
from workflow.cli.progress import Counter
from workflow.cli.viewer import show_pictures

if TYPE_CHECKING:
    from workflow.config import Config


def film(
    call: Call,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A picture file.")],
    gen: Gen = None,
    generations: Annotated[
        str | None,
        typer.Option(
            "--generations", metavar="4,5|all", help="Compare these generations instead of the snapshots of one."
        ),
    ] = None,
    best: Annotated[
        bool, typer.Option("--best", help="With --generations: the most accurate snapshot of each, not the newest.")
    ] = False,
    blobs: Annotated[
        list[str] | None,
        typer.Option("--blob", metavar="NAME", help="Show this blob; repeatable (default: as in wf inspect)."),
    ] = None,
    out: InspectOut = None,
    show: Annotated[bool, typer.Option("--show", help="Open the pictures.")] = False,
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
        raise UsageError("--best is about --generations", hint="wf film IMAGE --generations all --best")
    if generations is not None and gen is not None:
        raise UsageError("--gen and --generations are two different films", hint="one of them")
    settings = call.settings()
    if generations is None:
        paths = _snapshots(call, settings, image, gen, blobs, out)
    else:
        paths = _generations(call, settings, image, _numbers(generations), best, blobs, out)
    if show:
        show_pictures(call.console, list(paths.values()))


def _snapshots(
    call: Call, settings: Config, image: Path, gen: int | None, blobs: list[str] | None, out: Path | None
) -> dict[str, Path]:
    from workflow.generations import places
    from workflow.interpretation.activations.film import shoot
    from workflow.models import loading
    from workflow.report.film import describe, draw_film  # numpy, Pillow and matplotlib, which --help does not need

    with Counter(call.console, "filming", "snapshots") as progress:
        found = shoot(settings, image, number=gen, blobs=blobs, progress=progress)
    model = loading.load(settings, snapshot=f"{found.generation}/iter_{found.iterations[-1]}", tell=False)
    assert model.generation is not None  # noqa: S101  # a film is of a generation's snapshots
    target = out or places.film(model.generation, image)
    paths = draw_film(found, model.preprocessing, target)
    call.console.result(found.json() | {"pictures": paths}, describe(found, paths))
    return paths


def _generations(
    call: Call,
    settings: Config,
    image: Path,
    asked: list[int] | None,
    best: bool,
    blobs: list[str] | None,
    out: Path | None,
) -> dict[str, Path]:
    from workflow.generations import existing, places
    from workflow.interpretation.activations.generations_film import Which, trace
    from workflow.report.lineage import (  # numpy, Pillow and matplotlib, which --help does not need
        describe,
        draw_lineage,
    )

    with Counter(call.console, "matching channels", "pictures") as progress:
        which: Which = "best" if best else "latest"
        found = trace(settings, image, numbers=asked, which=which, blobs=blobs, progress=progress)
    paths = draw_lineage(found, out or places.generations_film(existing(settings, found.reference.generation), image))
    call.console.result(found.json() | {"pictures": paths}, describe(found, paths))
    return paths


def _numbers(text: str) -> list[int] | None:
    """`4,5` as numbers; None for `all`.

    Raises:
        UsageError: it is neither.
    """
    from workflow.errors import UsageError  # pydantic's neighbour, which --help does not need

    if text.strip() == "all":
        return None
    if not re.fullmatch(r"\s*(gen)?\d+\s*(,\s*(gen)?\d+\s*)*", text):
        raise UsageError(f"--generations '{text}' is no list of generations", hint="--generations 4,5 or all")
    return [int(number) for number in re.findall(r"\d+", text)]

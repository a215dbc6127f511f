"""wf dream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, VisionOut, Which
from workflow.cli.progress import Counter
from workflow.cli.viewer import show_pictures

if TYPE_CHECKING:
    pass


def dream(
    call: Call,
    which: Which,
    class_name: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="CLASS", help="A class; repeatable (default: all classes)."),
    ] = None,
    unit: Annotated[
        list[str] | None,
        typer.Option(
            "--unit",
            metavar="BLOB:CHANNEL",
            help="In place of a class: a channel such as conv3:17, or one unit of it, conv3:17,2,3; may be given "
            "several times for one blob.",
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="N", min=1, help="Steps of gradient ascent (default: 128).")
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            "--seeds", metavar="N", min=1, help="Number of random starts; the best result is kept (default: 4)."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Random seed.")] = 0,
    out: VisionOut = None,
    show: Annotated[bool, typer.Option("--show", help="Open the pictures.")] = False,
) -> None:
    """Generate the picture that maximises a class or a channel.

    Each result is a plain picture, a film of its optimisation, and a sheet that compares its score with those of
    the test pictures.

    wf dream --class cat
    wf dream --unit conv3:17 --seeds 8
    """
    from dataclasses import replace

    from workflow.interpretation.synthesis.ascent import Recipe
    from workflow.interpretation.synthesis.dream import alive, maximise
    from workflow.report.dream import describe, draw_dream  # matplotlib, and below PyTorch, which --help need not load

    model = which.load(call.settings())
    recipe = Recipe(seed=seed)
    recipe = replace(recipe, steps=steps or recipe.steps, seeds=seeds or recipe.seeds)
    with Counter(call.console, "dreaming", "steps") as progress:
        found = maximise(model, classes=class_name or (), units=unit or (), recipe=recipe, progress=progress)
    found = alive(found)
    target = out or model.place.whole("dream")
    drawn = [draw_dream(one, model.preprocessing, target) for one in found]
    documents = [one.json() | {"pictures": pictures} for one, pictures in zip(found, drawn, strict=True)]
    lines = [describe(one, pictures) for one, pictures in zip(found, drawn, strict=True)]
    call.console.result(documents[0] | {"dreams": documents}, "\n".join(lines))
    if show:
        show_pictures(call.console, [pictures["sheet"] for pictures in drawn])

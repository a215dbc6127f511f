"""wf dream."""

from __future__ import annotations

from typing import Annotated

from workflow.cli.options import Call, VisionOut, Which
from workflow.cli.parameters import Option
from workflow.cli.viewer import show_pictures


def dream(
    call: Call,
    which: Which,
    class_name: Annotated[
        list[str] | None,
        Option("--class", metavar="CLASS", help="A class; repeatable (default: all classes)."),
    ] = None,
    unit: Annotated[
        list[str] | None,
        Option(
            "--unit",
            metavar="BLOB:CHANNEL",
            help="Maximise a channel instead of a class, such as conv3:17, or a unit of it: conv3:17,2,3; "
            "repeatable for one blob.",
        ),
    ] = None,
    steps: Annotated[
        int | None, Option("--steps", metavar="N", min=1, help="Steps of gradient ascent (default: 128).")
    ] = None,
    seeds: Annotated[
        int | None,
        Option("--seeds", metavar="N", min=1, help="Number of random starts; the best result is kept (default: 4)."),
    ] = None,
    seed: Annotated[int, Option("--seed", metavar="N", help="Random seed.")] = 0,
    out: VisionOut = None,
    show: Annotated[bool, Option("--show", help="Open the pictures.")] = False,
) -> None:
    """Generate the picture that maximises a class or a channel.

    Each result is a plain picture, a film of its optimisation, and a sheet that compares its score with those of
    the test pictures.

    wf dream --class cat
    wf dream --unit conv3:17 --seeds 8
    """
    chosen = which.load(call.project())
    with call.counting("dreaming", "steps") as progress:
        found = chosen.dream_all(class_name or (), unit or (), steps=steps, seeds=seeds, seed=seed, progress=progress)
    drawn = [one.draw(out) for one in found]
    documents = [one.json(files) for one, files in zip(found, drawn, strict=True)]
    words = [one.words(files) for one, files in zip(found, drawn, strict=True)]
    call.console.result(documents[0] | {"dreams": documents}, "\n".join(words))
    if show:
        show_pictures(call.console, [files["sheet"] for files in drawn])

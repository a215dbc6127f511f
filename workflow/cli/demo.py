"""wf demo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call
from workflow.cli.progress import Counter, Training

if TYPE_CHECKING:
    from workflow.demo.steps import Looked


def demo(
    call: Call,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder, made if need be.")] = Path("demo"),
) -> None:
    """Run the whole loop on a small drawn set: about a minute.

    Each step that is done already is passed over, so that the command goes on where it was stopped.
    """
    from workflow.cli.settings import load  # everything that --help does not need
    from workflow.cli.signals import obeyed
    from workflow.demo import steps
    from workflow.engines.base import Control

    with Counter(call.console, "drawing", "pictures") as drawing:
        steps.set_up(folder, progress=drawing)
    config = load(folder / steps.CONFIG, {})
    control = Control()
    call.console.say(f"preparing {folder / 'images'}")
    with Counter(call.console, "preparing", "pictures") as preparing:
        steps.prepare(folder, config, progress=preparing, command=call.command)
    call.console.say("training cifar10_quick on them")
    with obeyed(control, call.console) as interruption, Training(call.console) as training:
        for event in steps.train(folder, config, control=control, command=call.command):
            training.see(event)
    if interruption.exit_code:
        raise typer.Exit(interruption.exit_code)
    looked = steps.look(folder, config)
    call.console.result(document(looked), describe(looked, folder))


def document(looked: Looked) -> dict[str, object]:
    """The JSON of `wf demo`."""
    return {
        "generation": looked.generation,
        "test_accuracy": looked.test_accuracy,
        "pictures": [looked.comparison, looked.curves, looked.sheet],
        "inspections": [one.json() for one in looked.inspections],
    }


def describe(looked: Looked, folder: Path) -> str:
    """What a person wants to know, and where to look."""
    lines = [f"generation {looked.generation}: test accuracy {looked.test_accuracy or 0:.4f}"]
    for one in looked.inspections:
        probability = one.probabilities.get(one.label or "", 0.0)
        lines.append(f"{folder / one.image} is taken for '{one.label}' ({probability:.1%})")
    return "\n".join(
        [
            *lines,
            "look at:",
            f"  {looked.comparison}  what the net sees in these two",
            f"  {looked.curves}  how it learned",
            f"  {looked.sheet}  what it learned from",
            f"  {folder / 'generations'}/gen{looked.generation}/inspect/  each blob by itself",
        ]
    )

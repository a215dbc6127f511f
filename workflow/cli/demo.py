"""wf demo."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click

from workflow.cli.options import Call
from workflow.cli.parameters import Argument, Option
from workflow.cli.progress import Counter, Training

if TYPE_CHECKING:
    from workflow.demo.steps import Looked


def demo(
    call: Call,
    folder: Annotated[Path, Argument(metavar="DIR", help="The folder; it is created if needed.")] = Path("demo"),
    serve: Annotated[bool, Option("--serve", help="Then open it in the browser, as wf serve --open does.")] = False,
) -> None:
    """Run the whole loop on a small drawn data set (about a minute).

    It ends with the unrelated picture that the net finds most similar to the character, and shows why. Finished
    steps are skipped, so an interrupted demo can be resumed.

    wf demo
    wf demo pip --serve
    """
    from workflow.api.events import Control
    from workflow.cli.serve import require, run
    from workflow.cli.signals import obeyed
    from workflow.demo import steps
    from workflow.project.settings import load  # everything that --help does not need

    if serve:
        require()
    with Counter(call.console, "drawing", "pictures") as drawing:
        steps.set_up(folder, progress=drawing)
    config = load(folder / steps.CONFIG, {}, root=folder.absolute())
    control = Control()
    call.console.say(f"preparing {folder / 'images'}")
    with Counter(call.console, "preparing", "pictures") as preparing:
        steps.prepare(config, progress=preparing, command=call.command)
    call.console.say("training cifar10_quick on them")
    with obeyed(control, call.console) as interruption, Training(call.console) as training:
        for event in steps.train(config, control=control, command=call.command):
            training.see(event)
    if interruption.exit_code:
        raise click.exceptions.Exit(interruption.exit_code)
    looked = steps.look(config)
    call.console.result(document(looked, folder), describe(looked, folder))
    if serve:
        run(call, root=folder, open_page=True)


def document(looked: Looked, folder: Path) -> dict[str, object]:
    """The JSON of `wf demo`: paths of `pictures` are relative to the current folder, others to the project's."""
    return {
        "generation": looked.generation,
        "test_accuracy": looked.test_accuracy,
        "pictures": [_here(path, folder) for path in (looked.comparison, looked.twin, looked.curves, looked.sheet)],
        "junk": {
            "pictures": looked.junk,
            "accepted": looked.accepted,
            "worst": _inside(Path(looked.worst.path), folder),
        },
        "inspections": [_inspection(one, folder) for one in looked.inspections],
    }


def describe(looked: Looked, folder: Path) -> str:
    """The results, their files, and the next commands."""
    from workflow.demo.drawing import CHARACTER

    portrait, worst = looked.inspections
    likely = looked.worst.probabilities[CHARACTER]
    lines = [
        f"generation {looked.generation}: test accuracy {looked.test_accuracy or 0:.4f}",
        f"{_here(portrait.image, folder)} is '{portrait.label}' ({portrait.probabilities[CHARACTER]:.1%})",
        f"false accepts: {looked.accepted} of {looked.junk} unrelated pictures are labelled '{CHARACTER}'",
        f"the worst is {_here(worst.image, folder)} ({likely:.1%})",
        f"  {looked.words}",
        "",
        "look at:",
        f"  {_here(looked.comparison, folder)}  what the net sees in these two",
        f"  {_here(looked.twin, folder)}  why the second one is labelled so",
        f"  {_here(looked.curves, folder)}  the training curves",
        f"  {_here(looked.sheet, folder)}  the training pictures",
        "",
        "next:",
        *([] if folder == Path() else [f"  cd {folder}"]),
        f"  {_wf()} junk junk/",
        f"  {_wf()} maps {_inside(worst.image, folder)} --class {CHARACTER}",
        f"  {_wf()} report",
    ]
    return "\n".join(lines)


def _inspection(one: Any, folder: Path) -> dict[str, object]:
    """One element of `looked.inspections`."""
    pictures = {name: _inside(path, folder) for name, path in one.pictures.items()}
    facts: dict[str, object] = one.json()
    return facts | {"image": _inside(one.image, folder), "pictures": pictures}


def _inside(path: Path, folder: Path) -> str:
    """A path relative to the project folder of the demo."""
    from workflow.paths import recorded

    return recorded(path, folder.absolute())


def _here(path: Path, folder: Path) -> Path:
    """A path relative to the current folder."""
    return folder / _inside(path, folder)


def _wf() -> str:
    """How to start wf in this shell: its name where that finds this very program, else its path."""
    here = Path(sys.argv[0]).absolute()
    found = shutil.which("wf")
    return "wf" if here.name != "wf" or (found and Path(found).samefile(here)) else str(here)

"""wf whatif."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from workflow.cli.options import Call, Gen, Snapshot
from workflow.cli.parameters import Argument, Option
from workflow.errors import UsageError


def whatif(
    call: Call,
    images: Annotated[
        list[Path] | None, Argument(metavar="IMAGE", help="Pictures whose scores are shown before and after.")
    ] = None,
    remove: Annotated[
        list[Path] | None, Option("--remove", metavar="PICTURE", help="Leave out a training picture (repeatable).")
    ] = None,
    relabel: Annotated[
        list[str] | None,
        Option("--relabel", metavar="PICTURE=CLASS", help="Give a training picture a new class (repeatable)."),
    ] = None,
    add: Annotated[
        Path | None, Option("--add", metavar="FOLDER", help="Also train on the pictures in FOLDER/CLASS/.")
    ] = None,
    table: Annotated[
        Path | None, Option("--table", metavar="FILE", help="The decisions in a suspects.csv of wf suspects.")
    ] = None,
    snapshot: Snapshot = None,
    gen: Gen = None,
) -> None:
    """Predict what a change of the training pictures would do.

    Nothing is changed. A linear classifier is fitted to the snapshot's features of the training pictures, as they
    are and as they would be; both label the validation pictures. This takes seconds, while training takes minutes. The
    result is an estimate: docs/whatif.md gives its accuracy and limits.

    wf whatif --table suspects.csv
    wf whatif false.png --add more_drawings/ --remove images/cat/12.png
    wf whatif --relabel images/cat/7.png=dog
    """
    pairs = [_pair(text) for text in relabel or ()]
    with call.counting("looking at the pictures", "pictures") as progress:
        found = call.project().whatif(
            snapshot,
            gen=gen,
            remove=remove or (),
            relabel=dict(pairs),
            add=add,
            table=table,
            images=images or (),
            progress=progress,
        )
    call.give(found)


def _pair(text: str) -> tuple[Path, str]:
    path, equals, name = text.rpartition("=")
    if not equals or not path or not name:
        raise UsageError(f"--relabel {text}: expected PICTURE=CLASS", hint="--relabel images/cat/7.png=dog")
    return Path(path), name

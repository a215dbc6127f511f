"""wf prepare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import click

from workflow.cli.options import Call, Cluster
from workflow.cli.parameters import Argument, Option
from workflow.errors import UsageError
from workflow.paths import PathOrAddress


def share(text: str) -> float:
    """0.15 or 15% as a number."""
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise click.BadParameter(f"got '{text}', expected a share such as 0.15 or 15%")
    return number


def prepare(
    call: Call,
    folders: Annotated[
        list[PathOrAddress] | None,
        Argument(metavar="FOLDER", help="Labelled folders, tars or addresses (default: `images` in the settings)."),
    ] = None,
    lists: Annotated[
        list[Path] | None,
        Option("--list", metavar="FILE", help="List of pictures: 'path label' on each line (repeatable)."),
    ] = None,
    gen: Annotated[
        int | None,
        Option("--gen", metavar="N", min=1, help="Number of the generation (default: the newest plus one)."),
    ] = None,
    force: Annotated[
        bool,
        Option(
            "--force",
            help="Replace a generation (if trained, the old one moves to before-N/), or make one without new pictures.",
        ),
    ] = False,
    strict: Annotated[bool, Option("--strict", help="Stop at unreadable files instead of skipping them.")] = False,
    rehash: Annotated[
        bool,
        Option("--rehash", help="Read all files, also those whose name, size and time are as at the last preparation."),
    ] = False,
    test_share: Annotated[
        float | None, Option("--test-share", metavar="SHARE", parser=share, help="Share of test pictures.")
    ] = None,
    validation_share: Annotated[
        float | None,
        Option(
            "--validation-share",
            metavar="SHARE",
            parser=share,
            help="Share of validation pictures, which choose the best snapshot; 0: it is chosen on the test pictures. "
            "No effect on train/ and test/ folders: put them into val/.",
        ),
    ] = None,
    drop_class: Annotated[
        list[str] | None, Option("--drop-class", metavar="NAME", help="Leave a class out (repeatable).")
    ] = None,
    rename: Annotated[
        list[str] | None, Option("--rename", metavar="OLD=NEW", help="Rename a class (repeatable).")
    ] = None,
    max_bad: Annotated[
        float | None,
        Option("--max-bad", metavar="SHARE", parser=share, help="Share of unreadable files that is tolerated."),
    ] = None,
    max_pixels: Annotated[int | None, Option("--max-pixels", metavar="N", min=1, help="Skip larger pictures.")] = None,
    on_conflict: Annotated[
        Literal["stop", "skip"] | None, Option("--on-conflict", help="What to do if a picture is in two classes.")
    ] = None,
    follow_symlinks: Annotated[bool, Option("--follow-symlinks", help="Follow symbolic links to folders.")] = False,
    no_inbox: Annotated[bool, Option("--no-inbox", help="Leave out labelled pictures of the inbox.")] = False,
    allow_network_fs: Annotated[
        bool, Option("--allow-network-fs", help="Allow databases on a network file system.")
    ] = False,
    cluster: Cluster = None,
) -> None:
    """Turn labelled folders or tars into a generation's data set.

    One sub-folder for each class, or train/CLASS and test/CLASS; in a tar also a label beside each picture, in 0001.cls
    or 0001.json. Labelled pictures of the inbox (wf serve) are added.

    wf prepare
    wf prepare more_images --gen 5 --test-share 10%
    wf prepare shards/
    wf prepare s3://bucket/labelled
    wf prepare --list train.txt --list test.txt
    """
    project = call.project(
        prepare__max_bad=max_bad,
        prepare__max_pixels=max_pixels,
        prepare__on_conflict=on_conflict,
        split__test=test_share,
        split__validation=validation_share,
        cluster__address=cluster,
    )
    with call.counting("preparing", "pictures") as progress:
        found = project.prepare(
            *(folders or ()),
            lists=lists or (),
            gen=gen,
            force=force,
            strict=strict,
            rehash=rehash,
            drop_classes=drop_class or (),
            rename_classes=_names(rename or ()),
            follow_symlinks=follow_symlinks,
            allow_network_fs=allow_network_fs,
            inbox=not no_inbox,
            progress=progress,
        )
    call.give(found)


def _names(pairs: list[str] | tuple[()]) -> dict[str, str]:
    names = dict(pair.partition("=")[::2] for pair in pairs)
    for old, new in names.items():
        if not old or not new:
            raise UsageError(f"--rename: got '{old}{'=' + new if new else ''}', expected OLD=NEW")
    return names

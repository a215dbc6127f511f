"""The pictures of a list with labels, by folder and class: a source of a preparation."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from workflow.cluster.parts import TICKET
from workflow.data.found import Scan, Skipped
from workflow.data.listed import Inner, Listed
from workflow.data.names import Names
from workflow.data.shards import named
from workflow.data.sources import listing
from workflow.data.sources.lists import Lines
from workflow.data.sources.tar_labels import BadLabel
from workflow.paths import is_address


def collect(
    found: Scan, source: Path, classes: Sequence[str], class_name: Callable[[str], str], split: str | None
) -> None:
    """Take the pictures that a list names; those that are not there are skipped.

    Args:
        found: gets them.
        source: the list.
        classes: the class of each number, see `shards.named`.
        class_name: checks the name of a class.
        split: of all its pictures.

    Raises:
        UsageError, DataError, OSError: as `lists.Lines`.
    """
    taken: dict[tuple[str, str], Inner] = {}
    lines = Lines(source, labelled=True)
    for line in lines:
        name = named(line.label, classes)
        if isinstance(name, BadLabel):
            lines.wrong(line.number, name)
            continue
        path = listing.joined(source.parent, line.text)
        if is_address(path) and not lines.reads(line.number, path):
            continue
        item = listing.item(path)
        if isinstance(item, listing.NoPicture):
            reason = f"{item} ({source}:{line.number})"
            found.skipped.append(Skipped(path=path, reason=reason, kind="not there"))
            continue
        inside, last = os.path.split(line.text)
        inner = taken.setdefault((inside, class_name(name)), Inner(inside, Names(), Names()))
        inner.names.append(last)
        inner.tickets.append(os.fsdecode(item.partition(TICKET)[2]))
    listed = Listed(found, source.parent, ())
    for (_, name), inner in taken.items():
        listed.take(inner, name, split)

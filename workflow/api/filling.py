"""Fill the inbox's queues with the results of a project's methods; run as a background job.

mistakes   wrong answers on the test set, most confident first
suspects   labels that are probably wrong
next       pictures of an unlabelled folder from which the next generation learns most
junk       unrelated pictures that are accepted
folder     all pictures of a folder, the most doubtful first
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from workflow.api.project import Project
    from workflow.api.snapshot import Progress
    from workflow.inbox import Inbox, Item

Kind = Literal["mistakes", "suspects", "next", "junk", "folder"]
NEEDS_FOLDER = ("next", "junk", "folder")
"""Kinds that are about a folder of pictures."""


def fill_queue(
    project: Project,
    inbox: Inbox,
    kind: Kind,
    *,
    snapshot: str | None = None,
    folder: Path | None = None,
    count: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Refill a queue; pictures that are already decided are left out.

    Args:
        project: whose snapshot is asked.
        inbox: of the same project.
        kind: what is looked for.
        snapshot: which is asked; None is the live one.
        folder: of pictures, for next, junk and folder.
        count: how many at most; None is all of them, 50 for next, 6 % for suspects.
        progress: called with (done, all).

    Returns:
        `queue`, its name, and `count`.

    Raises:
        UsageError: a folder is missing, or there is no snapshot.
        DataError: not one picture can be read.
    """
    from workflow.errors import UsageError

    if kind in NEEDS_FOLDER and folder is None:
        raise UsageError(f"queue '{kind}' needs a folder of pictures")
    if folder is not None and kind in NEEDS_FOLDER and not folder.is_dir():
        raise UsageError(f"no such folder: {folder}", fault="P01")
    inbox.learn()
    items, title = _SOURCES[kind](project, snapshot, folder or Path(), count, progress)
    name = kind if kind != "folder" or folder is None else f"folder-{_slug(folder)}"
    return {"queue": name, "count": inbox.fill(name, title, items)}


def _mistakes(
    project: Project, snapshot: str | None, folder: Path, count: int | None, progress: Progress | None
) -> tuple[Iterator[Item], str]:
    from workflow.inbox import Facts, Item

    del folder
    found = project.snapshot(snapshot).mistakes(progress=progress).found
    items = (
        Item(
            facts=Facts(sha256=one.sha256),
            suggestion=one.predicted,
            probability=one.probability,
            reason=f"{one.predicted} {one.probability:.2f}, {one.true} {one.probability_true:.2f}",
        )
        for one in found.mistakes[:count]
    )
    return items, f"Mistakes of {found.snapshot} on {found.exam}"


def _suspects(
    project: Project, snapshot: str | None, folder: Path, count: int | None, progress: Progress | None
) -> tuple[Iterator[Item], str]:
    from workflow.inbox import Facts, Item

    del folder
    found = project.snapshot(snapshot).suspects(top=count, progress=progress).found
    items = (
        Item(facts=Facts(sha256=one.picture.sha256), suggestion=one.suggested, probability=one.score, reason=one.why)
        for one in found.suspects
    )
    return items, f"Doubtful labels of gen{found.generation}"


def _next(
    project: Project, snapshot: str | None, folder: Path, count: int | None, progress: Progress | None
) -> tuple[Iterator[Item], str]:
    gen = None if snapshot is None else _generation(project, snapshot)
    found = project.next(folder, count=50 if count is None else count, gen=gen, progress=progress).found
    pairs = ((one.path, one.suggested, one.probability, one.reason) for one in found.candidates)
    return _items(project, pairs), f"Label next, from {folder.name}"


def _junk(
    project: Project, snapshot: str | None, folder: Path, count: int | None, progress: Progress | None
) -> tuple[Iterator[Item], str]:
    gen = None if snapshot is None else _generation(project, snapshot)
    found = project.junk(folder, gen=gen, progress=progress).found
    classes = next(iter(reversed(project.generations))).read().classes
    others = [name for name in classes if name not in found.newest.positives]
    refused = others[0] if len(others) == 1 else None
    pairs = (
        (one.path, refused, one.probability, f"accepted as {one.label} {one.probability:.2f}")
        for one in found.absurdities[:count]
    )
    return _items(project, pairs), f"Junk that is accepted, from {folder.name}"


def _folder(
    project: Project, snapshot: str | None, folder: Path, count: int | None, progress: Progress | None
) -> tuple[Iterator[Item], str]:
    found = project.snapshot(snapshot).predict_all([folder], progress=progress).found
    doubtful = sorted(found.predictions, key=lambda one: one.probability)
    pairs = ((one.path, one.label, one.probability, f"{one.label} {one.probability:.2f}") for one in doubtful[:count])
    return _items(project, pairs), f"Folder {folder.name}"


_SOURCES = {"mistakes": _mistakes, "suspects": _suspects, "next": _next, "junk": _junk, "folder": _folder}


def _items(project: Project, found: Iterator[tuple[str | Path, str | None, float, str]]) -> Iterator[Item]:
    """Items of files; a file that has disappeared is left out."""
    import hashlib

    from workflow.data.sniff import PictureError, sniff
    from workflow.data.sources.reading import whole
    from workflow.inbox import Facts, Item
    from workflow.paths import recorded

    for path, suggestion, probability, reason in found:
        try:
            data = whole(path)
            facts = Facts(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data), format=sniff(data))
        except (OSError, PictureError):
            continue
        yield Item(
            facts=facts,
            path=recorded(path, project.root),
            suggestion=suggestion,
            probability=probability,
            reason=reason,
        )


def _generation(project: Project, snapshot: str) -> int | None:
    generation = project.snapshot(snapshot, tell=False).model.generation
    return None if generation is None else generation.number


def _slug(folder: Path) -> str:
    """The last part of a path as the name of a queue may hold it."""
    return re.sub(r"[^a-z0-9_.-]+", "-", folder.absolute().name.lower()).strip("-.")[:40] or "pictures"

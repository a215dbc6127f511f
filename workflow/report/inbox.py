"""The inbox in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.words import and_more, counted, joined, table

if TYPE_CHECKING:
    from workflow.inbox import Queue, Token
    from workflow.inbox.forgetting import Forgotten
    from workflow.inbox.overview import Sender
    from workflow.inbox.sweeping import Swept
    from workflow.inbox.takeover import Takeover

_LISTED = 10  # conflicts that are printed


def describe(folder: Path, queues: Sequence[Queue], senders: Sequence[Sender], due: int) -> str:
    """Queues, senders, and decisions to be taken over."""
    open_ = [["queue", "left", "title"], *([one.name, f"{one.count:,}", one.title] for one in queues)]
    sent = [["sender", "role", "pictures", "labelled", "reports", "last"]]
    sent += [
        [one.name, one.role, f"{one.pictures:,}", f"{one.labelled:,}", f"{one.reports:,}", _day(one.last)]
        for one in senders
    ]
    waiting = (
        f"{counted(due, 'decision')} not taken over yet: wf inbox takeover" if due else "every decision is taken over"
    )
    return joined(
        [
            [str(folder)],
            table(open_, left=(0, 2)),
            table(sent, left=(0, 1, 5)) if senders else ["nothing was sent yet"],
            [waiting],
        ]
    )


def describe_tokens(tokens: Sequence[Token]) -> str:
    """A line for each token."""
    if not tokens:
        return "no tokens yet: wf inbox tokens add NAME --role bot"
    rows = [["token", "role", "created", "revoked"]]
    rows += [[one.name, one.role, _day(one.created), _day(one.revoked)] for one in tokens]
    return "\n".join(table(rows, left=(0, 1, 2, 3)))


def describe_takeover(found: Takeover, *, preview: bool) -> str:
    """The changes of a take-over, and what was left out."""
    parts = [
        (found.corrected, "in the project's folders corrected or confirmed"),
        (found.linked, "new with a class"),
        (found.moved, "moved to another class"),
        (found.removed, "excluded"),
        (found.unchanged, "as it was already"),
    ]
    parts_done = [f"{counted(count, 'picture')} {words}" for count, words in parts if count]
    lines = [("would take over: " if preview else "taken over: ") + ("; ".join(parts_done) or "nothing")]
    if found.patch is not None:
        lines.append(f"corrections {found.patch:03} (wf suspects --undo {found.patch} takes them back)")
    lines += [f"left out: {one['sha256'][:12]}…: {one['message']}" for one in found.conflicts[:_LISTED]]
    lines += and_more(len(found.conflicts), _LISTED)
    if parts_done and not preview:
        lines.append("next: wf prepare")
    return "\n".join(lines)


def describe_forgotten(found: Forgotten) -> str:
    """What was deleted, and what is still elsewhere."""
    files = ", ".join(
        counted(count, noun)
        for count, noun in (
            (found.files, "file"),
            (found.links, "labelled link"),
            (found.thumbnails, "thumbnail"),
            (found.looks, "folder"),
        )
        if count
    )
    lines = [
        f"{found.sender}: {counted(found.pictures, 'picture')}, {counted(found.submissions, 'submission')} and "
        f"{counted(found.reports, 'report')} deleted{f' ({files})' if files else ''}"
    ]
    if found.token:
        lines.append("the token is revoked")
    if found.kept:
        lines.append(
            f"{counted(found.kept, 'picture')} kept: others sent them, too, or they are in the project's folders"
        )
    for number, count in sorted(found.generations.items()):
        lines.append(
            f"gen{number} still holds {counted(count, 'picture')} in its data set: "
            f"wf prepare makes a generation without deleted pictures; then delete gen{number}"
        )
    return "\n".join(lines)


def describe_swept(found: Swept) -> str:
    """What was removed and what is missing."""
    parts = [
        (found.files, "file"),
        (found.links, "link"),
        (found.thumbnails, "thumbnail"),
        (found.temporary, "temporary file"),
        (found.items, "queue item"),
    ]
    removed = ", ".join(counted(count, noun) for count, noun in parts if count)
    lines = [f"removed: {removed or 'nothing'}"]
    if found.missing:
        lines.append(f"{counted(found.missing, 'picture')} without a file: copy inbox/files back from a backup")
    return "\n".join(lines)


def _day(time: str | None) -> str:
    """`2026-11-30 11:35` of an ISO time; empty for None."""
    return "" if time is None else time[:16].replace("T", " ")

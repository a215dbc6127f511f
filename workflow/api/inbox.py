"""The inbox from the outside: what is in it, who may call, how its labels reach the next generation."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow.api.result import Finding

if TYPE_CHECKING:
    from workflow.api.project import Project
    from workflow.config import Config
    from workflow.data.labelled import Labelled
    from workflow.inbox import Queue, Token
    from workflow.inbox.forgetting import Forgotten
    from workflow.inbox.overview import Sender
    from workflow.inbox.sweeping import Swept
    from workflow.inbox.takeover import Takeover

_log = logging.getLogger("workflow")


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What is in an inbox."""

    folder: Path
    queues: tuple[Queue, ...]
    senders: tuple[Sender, ...]
    due: int
    """Decisions that no take-over has taken over."""

    def json(self) -> dict[str, Any]:
        """As `wf inbox list --json` gives it."""
        return {
            "folder": str(self.folder),
            "queues": [one.json() for one in self.queues],
            "senders": [one.json() for one in self.senders],
            "due": self.due,
        }


def overview(project: Project) -> Finding[Overview]:
    """Queues, senders, and how many decisions wait for a take-over."""
    from workflow.inbox.overview import due, senders
    from workflow.report.inbox import describe

    with project.inbox() as inbox:
        found = Overview(
            folder=inbox.folder,
            queues=tuple(inbox.queues()),
            senders=tuple(inbox.read(senders)),
            due=inbox.read(due),
        )
    return Finding(found=found, describe=lambda one, _: describe(one.folder, one.queues, one.senders, one.due))


def tokens(project: Project) -> Finding[Sequence[Token]]:
    """All tokens, without their secret texts."""
    from workflow.report.inbox import describe_tokens

    with project.inbox() as inbox:
        found = inbox.tokens()
    return Finding(
        found=found,
        describe=lambda all_, _: describe_tokens(all_),
        document=lambda all_, _: {"tokens": [one.json() for one in all_]},
    )


def add_token(project: Project, name: str, role: str) -> str:
    """Make a token, and give its text, which is stored nowhere.

    Raises:
        UsageError: the name is taken or cannot be one; no such role.
    """
    with project.inbox() as inbox:
        return inbox.add_token(name, role)


def revoke(project: Project, name: str) -> Token:
    """Revoke a token: requests with it are refused from now on.

    Raises:
        NotFound: no such token.
    """
    with project.inbox() as inbox:
        return inbox.revoke(name)


def take_over(project: Project, *, preview: bool = False) -> Finding[Takeover]:
    """Turn decisions into corrections and links for the next `prepare`; `preview` only says what it would do.

    Raises:
        UsageError: there is no generation yet.
    """
    from workflow.report.inbox import describe_takeover

    with project.inbox() as inbox:
        found = inbox.takeover(preview=preview)
    return Finding(found=found, describe=lambda one, _: describe_takeover(one, preview=preview))


def forget(project: Project, sender: str, *, ref: str | None = None) -> Finding[Forgotten]:
    """Delete what a sender sent, or only what has this reference; says what prepared generations still hold.

    Raises:
        NotFound: no such sender.
    """
    from workflow.report.inbox import describe_forgotten

    with project.inbox() as inbox:
        found = inbox.forget(sender, ref=ref)
    return Finding(found=found, describe=lambda one, _: describe_forgotten(one))


def sweep(project: Project) -> Finding[Swept]:
    """Remove files that interrupted processes left."""
    from workflow.report.inbox import describe_swept

    with project.inbox() as inbox:
        found = inbox.sweep()
    return Finding(found=found, describe=lambda one, _: describe_swept(one))


def rename_classes_of_inbox(config: Config, names: Mapping[str, str]) -> None:
    """Give decisions and labelled pictures the new names of classes; nothing where there is no inbox."""
    if not (config.inbox / "inbox.sqlite").is_file():
        return
    from workflow.inbox import Inbox

    with Inbox(config) as inbox:
        inbox.rename_classes(names)


def labelled(config: Config) -> Labelled | None:
    """What a preparation reads of the inbox; None where there is nothing.

    Decisions that were not taken over are reported by a warning.
    """
    from workflow.data.labelled import Labelled, found

    root = config.inbox / "labelled"
    senders: dict[str, str] = {}
    if (config.inbox / "inbox.sqlite").is_file():
        from workflow.inbox import Inbox
        from workflow.inbox.overview import due
        from workflow.words import counted

        with Inbox(config) as inbox:
            senders, waiting = inbox.senders(), inbox.read(due)
        if waiting:
            _log.warning(
                "%s in the inbox not taken over yet, so not part of it (wf inbox takeover)",
                counted(waiting, "decision"),
            )
    return Labelled(root=root, senders=senders) if found(root) else None

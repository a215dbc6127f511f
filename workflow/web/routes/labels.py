"""Decisions about pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from workflow.inbox import Answer, Decision
from workflow.inbox.decisions import KEY
from workflow.inbox.fillings import NAME
from workflow.web.state import Asking, Shared

router = APIRouter(tags=["labels"])

SHA256 = r"^[0-9a-f]{64}$"
ClassName = Annotated[str, Field(min_length=1, max_length=255)]
Key = Annotated[
    str, Field(pattern=rf"^{KEY.pattern}$", description="Chosen by the client; the same key is entered once.")
]


class Entry(BaseModel):
    """A decision about a picture."""

    model_config = ConfigDict(extra="forbid")

    key: Key
    sha256: Annotated[str, Field(pattern=SHA256)]
    kind: Literal["label", "keep", "remove", "later"]
    class_: Annotated[ClassName | None, Field(alias="class")] = None
    was: ClassName | None = None
    """The class that the author saw."""
    queue: Annotated[str, Field(pattern=rf"^{NAME.pattern}$")] | None = None
    seq: Annotated[int, Field(strict=True, ge=0, le=2**53)] | None = None
    """The `seq` of the picture that the author saw: checked in place of `was`."""


class Outcome(BaseModel):
    """The outcome for a decision."""

    key: str
    seq: int | None
    status: Literal["saved", "known", "conflict"]
    message: str | None


class Outcomes(BaseModel):
    """An outcome for each decision, in order."""

    results: list[Outcome]


class Undo(BaseModel):
    """A decision to be taken back."""

    model_config = ConfigDict(extra="forbid")

    key: Key


class Undone(BaseModel):
    """The picture afterwards."""

    seq: int
    sha256: str
    class_: Annotated[str | None, Field(alias="class")]
    state: str | None


@router.post("/api/labels", response_model=Outcomes)
def label(
    entries: Annotated[list[Entry], Body(min_length=1, max_length=100)], state: Shared, caller: Asking
) -> dict[str, Any]:
    """Store decisions: those answered as saved or known are on the disk.

    A decision whose author did not see the picture's current class is a conflict, and is not stored.
    """
    classes = state.inbox.classes()
    possible = [(entry, _refusal(entry, classes)) for entry in entries]
    kept = iter(
        state.inbox.label(
            [
                Decision(
                    key=one.key,
                    sha256=one.sha256,
                    kind=one.kind,
                    class_name=one.class_,
                    was=one.was,
                    queue=one.queue,
                    seq=one.seq,
                )
                for one, refusal in possible
                if refusal is None
            ],
            caller.author,
        )
    )
    answers = [refusal or next(kept) for _, refusal in possible]
    for one, answer in zip(entries, answers, strict=True):
        if answer.status == "saved":
            event = {"sha256": one.sha256, "kind": one.kind, "class": one.class_, "queue": one.queue, "seq": answer.seq}
            state.events.publish_soon("label", event)
    return {"results": [one.json() for one in answers]}


@router.post("/api/undo", response_model=Undone)
def undo(asked: Undo, state: Shared, caller: Asking) -> dict[str, Any]:
    """Take a decision back; what was decided before it is in force again."""
    undone = state.inbox.undo(asked.key, caller.author, others_too=caller.role == "owner").json()
    state.events.publish_soon("label", undone | {"kind": "undo"})
    return undone


def _refusal(entry: Entry, classes: Sequence[str]) -> Answer | None:
    """Why an entry cannot be accepted as a decision; None if it can.

    The others of its request are still kept: one entry must not stop a client that resends its outbox.
    """
    if entry.kind == "label" and entry.class_ not in classes:
        what = "a label needs a class" if entry.class_ is None else f"there is no class '{entry.class_}'"
        known = ", ".join(classes) or "none, before the first wf prepare"
        return Answer(key=entry.key, status="conflict", message=f"{what}; classes: {known}")
    return None

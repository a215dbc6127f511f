"""The state that all routes share: the project, the net, the decoders, the jobs, and the caller."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import Depends, Request

if TYPE_CHECKING:
    from workflow.api import Project
    from workflow.inbox import Inbox
    from workflow.web.decoders import Decoders
    from workflow.web.events import Hub
    from workflow.web.jobs import Jobs
    from workflow.web.judge import Judge
    from workflow.web.limits import Limits

Role = Literal["owner", "labeller", "bot", "nobody"]


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who sent a request."""

    role: Role
    token: int | None = None
    """Row in the table of tokens; None for the owner on this machine, and for nobody."""
    name: str = ""
    """The token's name."""

    @property
    def author(self) -> int:
        """The author of rows that the caller makes: a token's number, 1 for the owner on this machine."""
        return 1 if self.token is None else self.token


NOBODY = Caller(role="nobody")
LOCAL = Caller(role="owner", name="owner")
"""The owner on the machine that the server runs on."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the server was started."""

    host: str = "127.0.0.1"
    port: int = 8000
    names: tuple[str, ...] = ()
    """Host names that it answers to beside those of the loopback interface; with any of them a token is needed."""
    snapshot: str | None = None
    """The snapshot that answers; None follows the live one."""
    promote_if_not_worse: bool = False
    config: Path | None = None
    """The file of settings that was named."""

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches the server."""
        return self.host in ("127.0.0.1", "::1", "localhost")

    @property
    def open_to_owner(self) -> bool:
        """Whether requests from this machine need no token. Behind a proxy they do: there, all come from here."""
        return self.loopback and not self.names


@dataclass(kw_only=True)
class State:
    """One for each application; `app.state.wf`."""

    project: Project
    settings: Settings
    judge: Judge
    limits: Limits
    opened: Inbox | None = None
    """The project's inbox, open while the application runs."""
    running: Running | None = None
    """Made when the application starts, as it belongs to its event loop."""
    login_codes: set[str] = field(default_factory=set)
    """Hashes of codes that each open the pages to the owner's browser once."""

    @property
    def inbox(self) -> Inbox:
        """The inbox of the project, while the application runs."""
        if self.opened is None:
            raise RuntimeError("the application has not started")
        return self.opened

    def caller_of(self, text: str) -> Caller | None:
        """Who has a token or a cookie of this content; None for one that is unknown or revoked."""
        token = self.inbox.token(text)
        return None if token is None else Caller(role=token.role, token=token.id, name=token.name)

    @property
    def decoders(self) -> Decoders:
        """The decoding processes."""
        return self._now.decoders

    @property
    def events(self) -> Hub:
        """The events that pages get."""
        return self._now.events

    @property
    def jobs(self) -> Jobs:
        """The jobs, which take longer than a request."""
        return self._now.jobs

    @property
    def _now(self) -> Running:
        if self.running is None:
            raise RuntimeError("the application has not started")
        return self.running


@dataclass(frozen=True, kw_only=True)
class Running:
    """Parts that live as long as the application runs."""

    decoders: Decoders
    events: Hub
    jobs: Jobs


async def _state(request: Request) -> State:
    state: State = request.app.state.wf
    return state


async def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["state"]["caller"]
    return caller


Shared = Annotated[State, Depends(_state)]
"""A parameter of a route: what all routes share."""
Asking = Annotated[Caller, Depends(_caller)]
"""A parameter of a route: who sent the request."""

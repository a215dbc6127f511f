"""`wf serve`: bind, print the address, and serve until Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from workflow.allocator import limit_arenas
from workflow.errors import EnvironmentFault, UsageError
from workflow.generations import no_project
from workflow.inbox import Inbox
from workflow.project import find
from workflow.web.app import create_app
from workflow.web.judge import Judge
from workflow.web.limits import HEADER_SECONDS, Limits
from workflow.web.login import login_code
from workflow.web.state import Settings, State

if TYPE_CHECKING:
    from workflow.api import Project

_CONNECTIONS = 1000
_BACKLOG = 512
_FILES = 4096
_ARENAS = 2  # of memory
_PAUSE = 0.5  # seconds before the body of a request that was refused is read and thrown away
_SWITCH = 0.001  # seconds that a thread may keep the interpreter from the one that talks to the network
_GRACE = 5  # seconds for requests that are being answered when the server is asked to end


def serve(project: Project, settings: Settings, *, say: Callable[[str], None], open_page: bool = False) -> None:
    """Serve a project until SIGINT or SIGTERM.

    Args:
        project: with absolute paths.
        settings: how.
        say: called with the address, once the server answers.
        open_page: whether to open it in the browser.

    Raises:
        UsageError: L01, no project; an address that others reach, without a name; one that cannot be used.
        EnvironmentFault: the port is in use, or may not be used.
    """
    check(settings)
    if find(project.root) is None:
        raise no_project(project.root.absolute())
    sys.setswitchinterval(_SWITCH)
    _allow_connections()
    limit_arenas(_ARENAS)
    listening = bind(settings)
    port = listening.getsockname()[1]
    settings = Settings(**(vars(settings) | {"port": port}))
    with closing(listening):
        Inbox(project.config).close()  # its errors are raised here, and not in the middle of starting
        state = State(project=project, settings=settings, judge=Judge(project, settings.snapshot), limits=Limits())
        _run(state, listening, say, open_page=open_page)


def _run(state: State, listening: socket.socket, say: Callable[[str], None], *, open_page: bool) -> None:
    def started() -> None:
        place = address(state.settings)
        say(f"serving {state.project.root} at {place}  (Ctrl-C ends it)")
        if not state.settings.open_to_owner:
            place = f"{place}login?token={login_code(state)}"
            say(f"open this once, in your browser: {place}")
        if open_page:
            threading.Thread(target=webbrowser.open, args=(place,), daemon=True).start()  # some browsers block

    Server(state, started).run(sockets=[listening])


def _allow_connections() -> None:
    """Let the process have as many files open as connections need, where it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def check(settings: Settings) -> None:
    """Refuse settings that would serve strangers unawares.

    Raises:
        UsageError: see `serve`.
    """
    if not settings.loopback and not settings.names:
        raise UsageError(
            f"--host {settings.host} is reached by others: the server must know the name that it answers to",
            hint=f"wf serve --host {settings.host} --name bot.example",
        )


def address(settings: Settings) -> str:
    """Where the owner's browser finds the pages."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host if settings.loopback else settings.names[0]}:{settings.port}/"


def bind(settings: Settings) -> socket.socket:
    """A socket that listens.

    Raises:
        EnvironmentFault: the port is in use, or may not be used.
        UsageError: there is no such address on this machine.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with ExitStack() as undo:
            listening = undo.enter_context(socket.socket(family, kind, protocol))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(place)
            listening.listen(_BACKLOG)
            undo.pop_all()
    except socket.gaierror as error:
        raise UsageError(f"--host {settings.host}: {error.strerror}", hint="wf serve --host 127.0.0.1") from error
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        if error.errno == errno.EADDRINUSE:
            raise EnvironmentFault(f"{where} is in use", hint="wf serve --port 0 takes a free port") from error
        if error.errno == errno.EADDRNOTAVAIL:
            raise UsageError(f"--host {settings.host} is no address of this machine") from error
        raise EnvironmentFault(f"cannot listen on {where}: {error.strerror}", hint="wf serve --port 8000") from error
    listening.setblocking(False)
    return listening


class Server(uvicorn.Server):
    """The application in uvicorn.

    Args:
        state: what its routes share.
        started: called once it answers.
    """

    def __init__(self, state: State, started: Callable[[], None]) -> None:
        config = uvicorn.Config(
            create_app(state, warm=True),
            http=Protocol,
            loop="asyncio",  # uvloop, where it is installed, lets refused bodies delay those let in: p99 twice as long
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,  # addresses may hold a token
            proxy_headers=False,  # who asks is decided by the connection
            server_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_GRACE,
            limit_concurrency=_CONNECTIONS,
            backlog=_BACKLOG,
        )
        super().__init__(config)
        self._state, self._say = state, started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does, then say so."""
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._say()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End after the requests that are being answered."""
        if self._state.running is not None:
            self._state.events.close()  # else the streams would be waited for
        await super().shutdown(sockets)


class Protocol(H11Protocol):
    """Connections that send a header, or what follows an answer, too slowly are closed."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client came: its header must follow."""
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Bytes came: between two requests, a header must be whole soon after its first byte."""
        if self._late is None and not self._answering():
            self._expect()
        super().data_received(data)

    def handle_events(self) -> None:
        """As uvicorn does; once a request is being answered, nothing is late."""
        super().handle_events()
        if self._answering():
            self._forget()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._forget()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """The rest of a body that was not needed may not trickle in either."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            if self._late is None:
                self._expect()
            self.flow.pause_reading()  # a busy server reads what it refused when it has less to do
            self.loop.call_later(_PAUSE, self.flow.resume_reading)

    def _answering(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _expect(self) -> None:
        self._late = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _forget(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

"""The application: every module of `routes` with a `router` is part of it."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.staticfiles import StaticFiles

from workflow import __version__
from workflow.errors import WorkflowError
from workflow.inbox import Inbox
from workflow.web import errors, routes
from workflow.web.decoders import Decoders
from workflow.web.events import Hub
from workflow.web.following import Follower
from workflow.web.jobs import Jobs
from workflow.web.security import Application, Guard
from workflow.web.state import Running, State

STATIC = Path(__file__).parent / "static"
_THREADS = 32  # that wait for the disk at a time: what they write is committed together


def create_app(state: State, *, warm: bool = False) -> Application:
    """The guarded application.

    Args:
        state: what its routes share; its processes and threads are started with the application.
        warm: start the decoding processes with it, and not for the first pictures.
    """
    app = FastAPI(
        title="wf serve",
        version=__version__,
        description="Judge pictures, look inside, label, and train. Errors: {error: {id, message, hint}}.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # these pages load scripts from another host
        redoc_url=None,
        lifespan=lambda _: _running(state, warm=warm),
    )
    app.state.wf = state
    errors.install(app)
    for router in routers():
        app.include_router(router, responses=errors.RESPONSES)
    if STATIC.is_dir():
        app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return Guard(app, state)


def routers() -> Iterator[APIRouter]:
    """The router of each module in routes/, by the names of the modules."""
    for found in sorted(one.name for one in pkgutil.iter_modules(routes.__path__, f"{routes.__name__}.")):
        router: APIRouter = importlib.import_module(found).router
        yield router


@asynccontextmanager
async def _running(state: State, *, warm: bool) -> AsyncIterator[None]:
    """Run the background parts: decoding processes, the net, jobs, and the follower of the project."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="request"))
    events = Hub()
    with Inbox(state.project.config) as state.opened:
        jobs = Jobs(state.inbox.folder, _common(state), lambda job: events.publish("job", job.json()))
        state.running = Running(decoders=Decoders(warm=warm), events=events, jobs=jobs)
        state.judge.changed = lambda name: events.publish("generation", {"live": name})
        state.judge.start()
        follower = Follower(state.project, state.inbox, events)
        loop.run_in_executor(None, _sweep, state.inbox)
        try:
            yield
        finally:
            events.close()
            follower.close()
            await jobs.close()
            await asyncio.to_thread(state.judge.close)
            await asyncio.to_thread(state.decoders.close)


def _sweep(inbox: Inbox) -> None:
    """Remove what a server that was killed left; there may be much to look at, so nothing waits for it."""
    with suppress(WorkflowError):  # the inbox was closed meanwhile
        inbox.sweep()


def _common(state: State) -> dict[str, Any]:
    """What every job is told."""
    config = state.settings.config
    return {
        "project": str(state.project.root.absolute()),
        "config": None if config is None else str(config),
        "command": list(state.project.command),
    }

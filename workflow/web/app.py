"""The application: every module of `routes` with a `router` is part of it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.staticfiles import StaticFiles

from workflow import __version__
from workflow.inbox import Inbox
from workflow.web import errors, routes
from workflow.web.decoders import Decoders
from workflow.web.security import Application, Guard
from workflow.web.state import State

STATIC = Path(__file__).parent / "static"


def create_app(state: State) -> Application:
    """The guarded application.

    Args:
        state: what its routes share; the decoders are made, and the net is loaded, when the application starts.
    """
    app = FastAPI(
        title="wf serve",
        version=__version__,
        description="Judge pictures, look inside, label, and train. Errors: {error: {id, message, hint}}.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # pages that load scripts from another host
        redoc_url=None,
        lifespan=lambda _: _running(state),
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
async def _running(state: State) -> AsyncIterator[None]:
    """What runs beside the requests: the decoding processes, the net, and whatever follows the project."""
    with Inbox(state.project.config) as state.opened:
        state.decoders = Decoders()
        state.judge.start()
        try:
            yield
        finally:
            state.judge.close()
            state.decoders.close()

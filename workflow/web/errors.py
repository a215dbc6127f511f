"""Errors as a client gets them: a status, and {"error": {"id", "message", "hint"}} as `--json` prints it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from workflow.errors import (
    BusyError,
    DataError,
    DivergedError,
    EnvironmentFault,
    FindingError,
    NotFound,
    UsageError,
    WorkflowError,
    system_errors,
)
from workflow.web.page import for_people

_log = logging.getLogger("workflow")
_STATUS: dict[type[WorkflowError], int] = {
    FindingError: 409,
    NotFound: 404,
    UsageError: 422,
    DataError: 422,
    DivergedError: 409,
    BusyError: 409,
    EnvironmentFault: 507,
}


class Problem(BaseModel):
    """What is wrong."""

    id: str
    """The row of the catalogue of errors; empty where it has none."""
    message: str
    hint: str | None = None


class Failure(BaseModel):
    """The body of every answer that is not a success."""

    error: Problem


class Refused(WorkflowError):
    """A request that is not answered as asked.

    Args:
        status: of HTTP.
        message: one sentence.
        headers: of the answer.
        hint: what to do.
        fault: the row of the catalogue.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        hint: str | None = None,
        fault: str = "",
    ) -> None:
        super().__init__(message, hint=hint, fault=fault)
        self.status = status
        self.headers = dict(headers or {})


class Busy(Refused):
    """The server is busy; the client is asked to come back."""

    def __init__(self, why: str, *, seconds: int = 1) -> None:
        super().__init__(
            503, f"the server is busy: {why}", headers={"Retry-After": str(seconds)}, hint=f"try again in {seconds} s"
        )


class BodyRefused(HTTPException):
    """A body that is cut off while it is read: FastAPI lets exceptions of this kind pass where it parses bodies."""


_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"content": _CONTENT, "description": words}  # with a model, FastAPI would make a validator for each
    for status, words in {
        400: "The request is malformed.",
        401: "A token is needed.",
        403: "The caller may not do this, or the request comes from another site.",
        404: "There is no such thing.",
        408: "The body arrived too slowly.",
        409: "It contradicts the state of things.",
        413: "The body or the picture is too large.",
        415: "The content type is not accepted.",
        421: "The server does not answer to this host name.",
        422: "A field is wrong; the message names each of them.",
        429: "The token has used up its rate.",
        503: "The server is busy; Retry-After says when to come back.",
        507: "Disk, memory or permissions do not suffice.",
    }.items()
}


def respond(
    status: int, message: str, *, hint: str | None = None, fault: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """The answer for an error."""
    document = {"error": {"id": fault, "message": message, "hint": hint}}
    return JSONResponse(document, status, dict(headers or {}))


def answer(error: Exception) -> Response:
    """The answer for any exception."""
    match error:
        case Refused():
            return respond(error.status, error.message, hint=error.hint, fault=error.fault, headers=error.headers)
        case WorkflowError():
            status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
            return respond(status, error.message, hint=error.hint, fault=error.fault)
        case RequestValidationError():
            return respond(422, "; ".join(map(_field, error.errors())))
        case HTTPException():
            return respond(error.status_code, _words(error), headers=error.headers)
    return _unexpected(error)


def _unexpected(error: Exception) -> Response:
    """What the operating system refuses, or a bug."""
    try:
        with system_errors():
            raise error  # noqa: TRY301  # for the context manager, which translates it
    except WorkflowError as known:
        return answer(known)
    except Exception as bug:
        _log.exception("a request failed")
        return respond(500, f"this is a bug in wf: {type(bug).__name__}", hint="the server's log has the details")


def install(app: FastAPI) -> None:
    """Answer every exception of the application in this form, and describe the form in its OpenAPI document."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        document = described()
        schema = Failure.model_json_schema(ref_template="#/components/schemas/{model}")
        inner = schema.pop("$defs", {})
        document.setdefault("components", {}).setdefault("schemas", {}).update(inner | {"Failure": schema})
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation extends it

    async def handle(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == 405:
            error.headers = {"Allow": ", ".join(_allowed(app, request.scope))}
        return for_people(request, request.app.state.wf, answer(error))

    for kind in (WorkflowError, RequestValidationError, HTTPException, OSError, MemoryError, Exception):
        app.add_exception_handler(kind, handle)


def _allowed(app: FastAPI, scope: MutableMapping[str, Any]) -> list[str]:
    """All methods that an address takes: the router knows those of its first route."""
    methods = ("DELETE", "GET", "PATCH", "POST", "PUT")
    asked = {one: {**scope, "method": one} for one in methods}
    return [one for one in methods if any(route.matches(asked[one])[0] is Match.FULL for route in app.router.routes)]


def _field(problem: Mapping[str, Any]) -> str:
    """`body.1.class: input should be a valid string`."""
    place = ".".join(str(part) for part in problem["loc"])
    words = str(problem["msg"])
    return f"{place}: {words[:1].lower()}{words[1:]}"


def _words(error: HTTPException) -> str:
    words = {404: "there is no such address", 405: "this address does not take this method"}
    return (
        words.get(error.status_code, "") if error.detail in ("Not Found", "Method Not Allowed") else str(error.detail)
    )

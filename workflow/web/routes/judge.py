"""A picture goes in, the net's answer comes out."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from workflow.web.errors import Refused
from workflow.web.state import Asking, Shared

router = APIRouter(tags=["judge"])

SNAPSHOT = r"gen\d{1,6}(/seed_\d{1,10})?/iter_\d{1,10}"
Reference = Annotated[str, Query(pattern=rf"^{SNAPSHOT}$", description="A snapshot of the project: gen5/iter_6000.")]
Share = Annotated[float, Field(ge=0, le=1)]


class Known(BaseModel):
    """Where a generation has a picture."""

    class_: Annotated[str, Field(alias="class")]
    generation: int
    split: str
    path: str


class Judged(BaseModel):
    """The net's answer about a picture."""

    sha256: str
    label: str
    probability: Share
    probabilities: dict[str, Share]
    snapshot: str
    known: Known | None
    page: str


class Health(BaseModel):
    """Whether the server answers."""

    status: str
    snapshot: str | None
    """The one that answers; None while there is none."""
    waiting: int
    """Pictures that wait for an answer."""


_PICTURE = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": _PICTURE,
            "application/octet-stream": _PICTURE,
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"picture": {"type": "string", "format": "binary"}},
                    "required": ["picture"],
                }
            },
        },
    }
}


@router.post("/api/judge", response_model=Judged, openapi_extra=_BODY)
async def judge(request: Request, state: Shared, caller: Asking, snapshot: Reference | None = None) -> Response:
    """Judge a picture: the body is the file, or a form with one file.

    JPEG, PNG, BMP, GIF, WebP and AVIF, at most 20 MiB; 50 megapixels for a baseline JPEG, 12 for others.
    """
    del caller
    with state.limits.picture():
        data = await read_picture(request)
        net = await state.judge.net(snapshot)
        sha256, decoded = await asyncio.gather(
            asyncio.to_thread(_digest, data), state.decoding.pixels(data, net.preprocessing)
        )
        found = await state.judge.label(net, decoded.pixels)
    return JSONResponse(
        {
            "sha256": sha256,
            "label": found.label,
            "probability": found.probability,
            "probabilities": found.probabilities,
            "snapshot": net.name,
            "known": None,
            "page": f"/p/{sha256}",
        }
    )


@router.get("/healthz", response_model=Health)
async def health(state: Shared) -> dict[str, Any]:
    """Whether the server answers, and with which snapshot."""
    return {"status": "ok", "snapshot": state.judge.name, "waiting": state.limits.pending}


async def read_picture(request: Request) -> bytes:
    """The picture in a request's body: the body itself, or the first file of a form.

    Raises:
        Refused: 400, there is none.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/"):
        data = await request.body()
    else:
        async with request.form(max_files=1, max_fields=8) as form:
            file = next((one for one in form.values() if isinstance(one, UploadFile)), None)
            if file is None:
                raise Refused(400, "the form has no file", hint="curl -F picture=@FILE")
            data = await file.read()
    if not data:
        raise Refused(400, "the body is empty, expected a picture")
    return data


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

"""Embed pictures in a page as data URIs, so the report is a single HTML file."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image

from workflow.data.pictures import load_rgb
from workflow.errors import WorkflowError

_MOST = 256  # pixels a side of a thumbnail; a phone at three pixels a point shows 85 points of it
_TOO_LARGE = 50_000_000  # pixels; such a file is shown as missing


def png(data: bytes) -> str:
    """A data URI of a PNG's bytes."""
    return data_uri(data, "png")


def data_uri(data: bytes, kind: str) -> str:
    """The data URI of a picture file's bytes; `kind` is `png` or `gif`."""
    return f"data:image/{kind};base64," + base64.b64encode(data).decode("ascii")


def picture(path: Path) -> str | None:
    """A PNG or GIF file as it is, None if it is not there."""
    try:
        return data_uri(path.read_bytes(), path.suffix.removeprefix("."))
    except OSError:
        return None


def thumbnail(path: Path | str, size: int = _MOST) -> str | None:
    """A small copy of any picture, upright, on white, without its metadata; None if it cannot be read any more.

    Args:
        path: the picture.
        size: pixels of its longer side at most; smaller ones stay as they are.
    """
    try:
        shown = Image.fromarray(load_rgb(path, max_pixels=_TOO_LARGE, max_side=size))
    except (WorkflowError, OSError):
        return None
    data = io.BytesIO()
    shown.save(data, "PNG")
    return png(data.getvalue())

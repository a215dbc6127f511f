"""Small pictures for pages: re-encoded, so that no position, name or comment of the sender's file is served.

inbox/thumbs/9f/9f86….256.jpg        a cache: what is missing is made again
"""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.errors import UsageError
from workflow.inbox.files import make_folder
from workflow.storage import temporary_name

SIDES = (256, 512, 1024)
"""The longest sides that are offered, in pixels; smaller pictures keep their size."""
_LOSSLESS = 128  # pictures up to this side are PNG, so that a net's input can be viewed pixel by pixel
_QUALITY = 85


def check_side(side: int) -> int:
    """The side length, if that size is available.

    Raises:
        UsageError: it is not.
    """
    if side not in SIDES:
        raise UsageError(f"side is {side}, expected {', '.join(map(str, SIDES))}")
    return side


def encode(pixels: NDArray[np.uint8], side: int) -> bytes:
    """A PNG (small pictures) or JPEG without metadata.

    Args:
        pixels: uint8 (H, W, 3), RGB, upright.
        side: the longest side at most.
    """
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    if max(image.size) <= _LOSSLESS:
        image.save(out, "PNG")
    else:
        image.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def make(data: bytes, side: int, *, max_pixels: int | None = None) -> bytes:
    """The thumbnail of a picture file's bytes; for bytes of strangers, call it in a process of its own.

    Raises:
        PictureError: it is not a readable picture.
    """
    from workflow.config import MAX_PIXELS
    from workflow.data.pictures import load_rgb

    return encode(load_rgb(data, max_pixels=max_pixels or MAX_PIXELS, max_side=side), check_side(side))


def content_type(data: bytes) -> str:
    """`image/png` or `image/jpeg`."""
    return "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"


def cached(inbox: Path, sha256: str, side: int) -> bytes | None:
    """A thumbnail that was kept; None if there is none."""
    try:
        return _place(inbox, sha256, side).read_bytes() or None  # empty: a power cut came before the data
    except FileNotFoundError:
        return None


def keep(inbox: Path, sha256: str, side: int, data: bytes) -> None:
    """Keep a thumbnail. It is not made durable: it can be made again.

    Raises:
        OSError: as the operating system says it.
    """
    path = _place(inbox, sha256, side)
    make_folder(path.parent)
    temporary = temporary_name(path)
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def forget(inbox: Path, sha256: str) -> int:
    """Remove the thumbnails of a picture; how many there were."""
    count = 0
    for side in SIDES:
        with suppress(FileNotFoundError):
            _place(inbox, sha256, side).unlink()
            count += 1
    return count


def _place(inbox: Path, sha256: str, side: int) -> Path:
    return inbox / "thumbs" / sha256[:2] / f"{sha256}.{side}"

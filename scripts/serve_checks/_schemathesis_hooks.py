"""What schemathesis sends as a picture."""

from __future__ import annotations

import io

import schemathesis
from hypothesis import strategies
from PIL import Image


def _picture(colour: tuple[int, int, int], kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (12, 9), colour).save(file, kind)
    return file.getvalue()


colours = strategies.tuples(*[strategies.integers(0, 255)] * 3)
pictures = strategies.builds(_picture, colours, strategies.sampled_from(["PNG", "JPEG", "BMP", "GIF"]))
for kind in ("image/*", "application/octet-stream"):
    schemathesis.openapi.media_type(kind, pictures)
schemathesis.openapi.format("binary", pictures)

"""What decides which pixels a picture file is decoded to: settings, and versions of what decodes."""

from __future__ import annotations

from importlib.util import find_spec

import msgspec
import numpy as np
import PIL
from PIL import features

from workflow.config import Config, untyped
from workflow.version import __version__

_FORM = 1  # of what is remembered of a file: one more makes all files be read once


def basis(config: Config) -> bytes:
    """All that decides what a file is decoded to, as bytes to compare."""
    decoders = {name: features.version(name) for name in ("jpg", "zlib", "webp")}
    facts = {
        "form": _FORM,
        "preprocessing": untyped(config.preprocessing),
        "max_pixels": config.prepare.max_pixels,
        "versions": {
            "wf": __version__,
            "numpy": np.__version__,
            "Pillow": PIL.__version__,
            "heif": _heif(),
            **decoders,
        },
    }
    return msgspec.json.encode(facts)


def _heif() -> str | None:
    if find_spec("pillow_heif") is None:
        return None
    from importlib.metadata import version  # 20 ms

    return version("pillow_heif")

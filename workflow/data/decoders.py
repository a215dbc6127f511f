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
_LIBRARIES = {"libjpeg": "jpg", "zlib": "zlib", "libwebp": "webp"}  # name -> Pillow's name for it


def basis(config: Config) -> bytes:
    """All that decides what a file is decoded to, as bytes to compare."""
    facts = {
        "form": _FORM,
        "preprocessing": untyped(config.preprocessing),
        "max_pixels": config.prepare.max_pixels,
        "versions": versions(),
    }
    return msgspec.json.encode(facts)


def versions() -> dict[str, str]:
    """Name -> version of wf and of all that decodes and is there."""
    found = {"wf": __version__, "numpy": np.__version__, "Pillow": PIL.__version__, "pillow-heif": _heif()}
    found |= {name: features.version(theirs) for name, theirs in _LIBRARIES.items()}
    return {name: version for name, version in found.items() if version}


def _heif() -> str | None:
    if find_spec("pillow_heif") is None:
        return None
    from importlib.metadata import version  # 20 ms

    return version("pillow_heif")

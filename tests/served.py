"""A small project that is served in this process."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from workflow import Project
from workflow.web.judge import Judge
from workflow.web.limits import Limits
from workflow.web.state import Settings, State

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette would rather have another version of httpx
    from starlette.testclient import TestClient

__all__ = ["HOST", "TestClient", "make_state", "png"]

HOST = "http://127.0.0.1:8000"


def png(seed: int = 0, size: tuple[int, int] = (20, 16)) -> bytes:
    """A picture of noise, as a PNG file."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def make_state(root: Path, **settings: object) -> State:
    project = Project(root)
    chosen = Settings(**settings)  # type: ignore[arg-type]
    return State(project=project, settings=chosen, judge=Judge(project, chosen.snapshot), limits=Limits())

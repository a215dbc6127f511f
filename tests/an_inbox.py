"""A project of one prepared generation with an open inbox, and pictures to send."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workflow.api import Project
from workflow.data import corrections
from workflow.inbox import Decision, Inbox, Submission


@cache
def jpeg(seed: int, width: int = 40, height: int = 30) -> bytes:
    """A picture that is like no other."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG")
    return out.getvalue()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def send(inbox: Inbox, seed: int, *, token: int = 1, ref: str | None = None, **probabilities: float) -> str:
    """Submit picture number `seed`; its sha256."""
    data = jpeg(seed)
    submission = Submission(
        width=40,
        height=30,
        token=token,
        ref=ref,
        snapshot="gen1/iter_10",
        probabilities=probabilities or None,
    )
    inbox.enter(inbox.keep(data, "JPEG"), submission).result()
    return digest(data)


def label(sha256: str, class_name: str | None, *, key: str = "", was: str | None = None, **more: object) -> Decision:
    kind = "remove" if class_name is None else "label"
    facts = {"key": key or f"{sha256[:8]}.{class_name}.{was}", "kind": kind, "class_name": class_name, "was": was}
    return Decision(sha256=sha256, **(facts | more))  # type: ignore[arg-type]


def effective(inbox: Inbox, sha256: str, folder: str | None) -> str | None:
    """The class that folder and corrections give a picture, None for none: `data.correcting` in short."""
    for _, one in corrections.in_force(corrections.patches(inbox.config.generations)).get(sha256, ()):
        if one.label == folder and one.refused is None:
            if one.remove:
                return None
            folder = one.to or folder
    return folder


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    """Of a project without generations."""
    with Inbox(Project(tmp_path).config) as opened:
        yield opened

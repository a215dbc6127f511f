"""A small project that is served in this process."""

from __future__ import annotations

import io
import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from workflow import Project
from workflow.web.app import create_app
from workflow.web.judge import Judge
from workflow.web.limits import Limits
from workflow.web.server import Server
from workflow.web.state import Settings, State

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette would rather have another version of httpx
    from starlette.testclient import TestClient

__all__ = ["HOST", "TestClient", "judged", "listening", "make_state", "png", "serving"]

HOST = "http://127.0.0.1:8000"


def png(seed: int = 0, size: tuple[int, int] = (20, 16)) -> bytes:
    """A picture of noise, as a PNG file."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def make_state(root: Path, *, limits: Limits | None = None, **settings: object) -> State:
    project = Project(root)
    chosen = Settings(**settings)  # type: ignore[arg-type]
    return State(project=project, settings=chosen, judge=Judge(project, chosen.snapshot), limits=limits or Limits())


@contextmanager
def serving(root: Path, *, client: str = "127.0.0.1", **options: Any) -> Iterator[tuple[TestClient, State]]:
    """The application on a project, and a client at that address without a token."""
    state = make_state(root, **options)
    with TestClient(create_app(state), base_url=HOST, client=(client, 50000)) as made:
        yield made, state


@contextmanager
def listening(root: Path, **options: Any) -> Iterator[tuple[str, State]]:
    """The application on a real socket of the loopback interface: its address, and its state."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        state = make_state(root, port=bound.getsockname()[1], **options)
        ready = threading.Event()
        server = Server(state, ready.set)
        thread = threading.Thread(target=lambda: server.run(sockets=[bound]))
        thread.start()
        try:
            assert ready.wait(120)
            yield f"http://127.0.0.1:{state.settings.port}", state
        finally:
            server.should_exit = True
            thread.join()


def judged(client: TestClient, data: bytes, **headers: str) -> dict[str, Any]:
    """The answer about a picture."""
    answer = client.post("/api/judge", content=data, headers={"content-type": "image/png"} | headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found

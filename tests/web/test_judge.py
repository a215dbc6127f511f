"""Pictures are judged as `wf predict` judges them, also by many at once, and by the snapshot that is live."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from served import TestClient, png, serving

from workflow import Project
from workflow.data.sniff import sniff
from workflow.inbox import files
from workflow.web.state import State

COUNT = "SELECT count(*) FROM picture WHERE sha256 = ?"


def test_the_answer_is_that_of_predict(client: TestClient, project_folder: Path, tmp_path: Path) -> None:
    data = png(1)
    (tmp_path / "one.png").write_bytes(data)
    told = client.post("/api/judge", content=data, headers={"content-type": "image/png"}).json()
    found = Project(project_folder).snapshot("live").predict(tmp_path / "one.png")
    assert told["label"] == found.label
    assert told["probabilities"] == pytest.approx(found.probabilities, abs=1e-6)
    assert told["sha256"] == hashlib.sha256(data).hexdigest()
    assert told["snapshot"] == "gen1/iter_20"
    assert told["unknown"] == (found.distance is not None and found.distance > 1)
    assert told["distance"] == (None if found.distance is None else pytest.approx(found.distance, abs=1e-4))
    assert told["page"] == f"/p/{told['sha256']}"


def test_a_form_is_the_same_as_the_bytes(client: TestClient) -> None:
    raw = client.post("/api/judge", content=png(2), headers={"content-type": "image/png"}).json()
    form = client.post("/api/judge", files={"picture": ("../../x.png", png(2))}).json()
    assert form["probabilities"] == raw["probabilities"]


def test_many_at_once_each_get_their_own_answer(client: TestClient) -> None:
    def ask(seed: int) -> dict[str, object]:
        found = client.post("/api/judge", content=png(seed), headers={"content-type": "image/png"}).json()
        return {name: found[name] for name in ("sha256", "probabilities")}

    alone = [ask(seed) for seed in range(12)]
    with ThreadPoolExecutor(12) as threads:
        together = list(threads.map(ask, range(12)))
    for one, other in zip(alone, together, strict=True):
        assert one["sha256"] == other["sha256"]
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-6)


def test_a_named_snapshot_answers(client: TestClient) -> None:
    ask = {"content": png(3), "headers": {"content-type": "image/png"}}
    first = client.post("/api/judge?snapshot=gen1/iter_10", **ask).json()
    assert first["snapshot"] == "gen1/iter_10"
    assert first["probabilities"] != client.post("/api/judge", **ask).json()["probabilities"]
    assert client.post("/api/judge?snapshot=gen1/iter_11", **ask).status_code == 404
    assert client.post("/api/judge?snapshot=/etc/passwd", **ask).status_code == 422


def test_the_live_snapshot_is_followed(project_folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(project_folder, root)
    with serving(root) as (client, state):
        assert _answering(client, "gen1/iter_20")
        state.project.pin("gen1/iter_10")
        assert _answering(client, "gen1/iter_10")


def test_a_project_without_a_snapshot_says_what_to_do(tmp_path: Path) -> None:
    Project.start(tmp_path / "empty")
    with serving(tmp_path / "empty") as (client, _):
        told = client.post("/api/judge", content=png(), headers={"content-type": "image/png"})
        for path in ("/api/generations", "/api/queues", "/api/takeover", "/api/jobs", "/loop", "/gen", "/label"):
            assert client.get(path).status_code == 200, path
    assert told.status_code == 409
    assert told.json()["error"]["hint"] == "wf prepare creates the first one"


def test_what_is_no_picture_is_refused_in_words(client: TestClient, state: State) -> None:
    def told(data: bytes, kind: str = "image/png") -> tuple[int, str]:
        answer = client.post("/api/judge", content=data, headers={"content-type": kind})
        return answer.status_code, answer.json()["error"]["message"]

    assert told(b"") == (400, "the body is empty, expected a picture")
    assert told(b"hello") == (415, "the picture is text, not an image")
    assert told(png()[:200]) == (422, "the picture is truncated")
    assert told(b"<svg xmlns='http://www.w3.org/2000/svg'/>")[0] == 415
    assert client.post("/api/judge", files={"picture": (None, "no file")}).status_code == 400
    assert state.limits.pending == 0
    assert state.limits.held == 0


def test_a_picture_that_is_refused_is_not_kept(client: TestClient, state: State) -> None:
    for data in (png(31)[:-40], png(32), b"GIF89a" + bytes(500)):
        told = client.post("/api/judge", content=data, headers={"content-type": "image/png"})
        path = files.place(state.inbox.folder, hashlib.sha256(data).hexdigest(), sniff(data))
        assert path.exists() == (told.status_code == 200)


def test_the_row_comes_after_the_file_however_long_that_takes(
    client: TestClient, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, real, rows = png(33), files.store, []
    sha256 = hashlib.sha256(data).hexdigest()

    def slowly(*arguments: Any) -> Path:
        time.sleep(0.3)  # far longer than judging takes
        path = real(*arguments)
        rows.append(state.inbox.read(lambda c: c.execute(COUNT, (sha256,)).fetchone()[0]))
        return path

    monkeypatch.setattr(files, "store", slowly)
    assert client.post("/api/judge", content=data, headers={"content-type": "image/png"}).status_code == 200
    assert rows == [0]
    assert state.inbox.path(sha256).read_bytes() == data


def test_a_picture_whose_file_cannot_be_written_has_no_row(
    client: TestClient, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = png(34)

    def full(*_: object) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "store", full)
    assert client.post("/api/judge", content=data, headers={"content-type": "image/png"}).status_code == 507
    sha256 = hashlib.sha256(data).hexdigest()
    assert state.inbox.read(lambda c: c.execute(COUNT, (sha256,)).fetchone()[0]) == 0
    monkeypatch.undo()
    assert client.post("/api/judge", content=data, headers={"content-type": "image/png"}).status_code == 200


def _answering(client: TestClient, name: str) -> bool:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        told = client.post("/api/judge", content=png(), headers={"content-type": "image/png"}).json()
        if told["snapshot"] == name:
            return True
        time.sleep(0.1)
    return False

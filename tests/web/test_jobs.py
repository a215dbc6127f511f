"""Jobs: one at a time, in processes of their own, with progress; nobody trains what is in use."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import TestClient, judged, png, serving

from workflow.api.events import Control
from workflow.web import job_process, jobs
from workflow.web.state import State


@pytest.fixture(scope="module")
def root(project_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the nets that it is trained with."""
    root = tmp_path_factory.mktemp("jobs") / "copy"
    shutil.copytree(project_folder, root)
    (root / "configs").mkdir()
    settings = "preprocessing: {width: 8, height: 9}\n"
    settings += "train: {solver: prototxt/small_solver.prototxt, deploy: prototxt/small_deploy.prototxt, threads: 1}\n"
    (root / "configs" / "default.yaml").write_text(settings)
    return root


@pytest.fixture(scope="module")
def served(root: Path) -> Iterator[tuple[TestClient, State]]:
    with serving(root) as found:
        yield found


def ended(client: TestClient, number: int, seconds: float = 120.0) -> dict[str, Any]:
    """A job once it is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        job: dict[str, Any] = client.get(f"/api/jobs/{number}").json()
        if job["state"] not in ("waiting", "running"):
            return job
        time.sleep(0.05)
    raise AssertionError(job)


def until(client: TestClient, number: int, iteration: int) -> None:
    """Wait until a training has done so many iterations."""
    end = time.monotonic() + 120
    while (job := client.get(f"/api/jobs/{number}").json())["done"] < iteration:
        assert time.monotonic() < end, job
        assert job["state"] in ("waiting", "running"), job
        time.sleep(0.05)


def begun(client: TestClient, **wish: object) -> int:
    answer = client.post("/api/jobs", json=wish)
    assert answer.status_code == 202, answer.text
    return int(answer.json()["job"]["id"])


def test_look_train_compare_promote(served: tuple[TestClient, State], root: Path) -> None:
    client, _ = served
    sha = judged(client, png(7))["sha256"]
    look = client.post(f"/api/pictures/{sha}/looks", json={"look": "inspect", "snapshot": None}).json()["job"]
    again = client.post(f"/api/pictures/{sha}/looks", json={"look": "inspect"}).json()["job"]
    assert again["id"] == look["id"]  # it is not done twice
    (root / "images" / "train" / "circle" / "new.png").write_bytes(png(99))
    prepare = begun(client, kind="prepare")

    found = ended(client, look["id"])
    assert (found["state"], found["sha256"], found["look"]) == ("done", sha, "inspect")
    assert found["result"]["words"].startswith(f"{sha[:12]}.png as gen1/iter_20 sees it")
    for picture in found["result"]["pictures"]:
        answer = client.get(picture["url"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert client.get(f"/api/pictures/{sha}/blobs/conv.png").status_code == 200
    assert client.get(f"/api/pictures/{sha}/blobs/nothing.png").status_code == 404

    assert ended(client, prepare)["result"]["generation"] == 2
    overview = client.get("/api/generations").json()
    assert [one["state"] for one in overview["generations"]] == ["trained", "prepared"]
    found = ended(client, begun(client, kind="train", generation=2, weights="gen1/best"))
    assert found["state"] == "done", found
    assert (found["done"], found["all"], found["unit"]) == (20, 20, "iterations")
    assert "stays the default snapshot" in found["notes"][0]
    assert judged(client, png(8))["snapshot"].startswith("gen1/")  # until somebody promotes the new one
    found = ended(client, begun(client, kind="diff", old="gen1", new="gen2"))
    assert found["result"]["verdict"]["outcome"] in ("better", "worse", "noise")
    assert client.get("/api/generations/2").json()["verdict"] == found["result"]["verdict"]["words"]
    assert client.post("/api/generations/2/promote", json={}).json()["live"].startswith("gen2/")
    assert judged(client, png(8))["snapshot"].startswith("gen2/")

    found = ended(client, begun(client, kind="fill", queue="mistakes"))
    assert found["state"] == "done", found
    (queue,) = [one for one in client.get("/api/queues").json()["queues"] if one["name"] == "mistakes"]
    assert queue["count"] == found["result"]["count"]

    lines, start = [], 0
    while True:
        part = client.get(f"/api/generations/2/metrics?from={start}").json()
        lines += part["lines"]
        if part["next"] == start:
            break
        start = part["next"]
    assert [one["iteration"] for one in lines if one["kind"] == "step"] == list(range(20))
    assert part["running"] is False
    assert client.get(f"/api/generations/2/metrics?from={start + 99}").json()["lines"] == lines  # a run began anew


def test_with_a_setting_the_new_generation_is_promoted_unless_it_is_worse(
    served: tuple[TestClient, State], capfd: pytest.CaptureFixture[str]
) -> None:
    _, state = served
    state.project.pin("gen1/best")
    wish = {"generation": 2, "max_iter": 20, "promote": True}
    result = job_process.train(state.project, wish, job_process.Teller(sys.stdout), Control())  # it is trained already
    assert "gen2" in result["promotion"]
    assert state.project.live().found.reference.name.startswith("gen1/" if "worse" in result["promotion"] else "gen2/")
    assert '"progress"' in capfd.readouterr().out


def test_a_training_is_stopped_with_a_snapshot_and_no_second_one_is_begun(
    served: tuple[TestClient, State],
) -> None:
    client, state = served
    number = begun(client, kind="train", generation=1, max_iter=10**9, fresh=True)
    refused = client.post("/api/jobs", json={"kind": "train", "generation": 1})
    assert (refused.status_code, refused.json()["error"]["id"]) == (409, "T10")
    until(client, number, 5)
    assert client.get("/api/generations/1").json()["state"] == "training"
    assert client.delete(f"/api/jobs/{number}").json()["job"]["stopping"] is True
    job = ended(client, number)
    assert (job["state"], job["result"]["stopped"]) == ("done", True)
    assert state.project.generations[0].read().latest.iteration == job["done"]  # type: ignore[union-attr]


def test_what_the_terminal_trains_is_shown_and_left_alone(served: tuple[TestClient, State]) -> None:
    client, state = served
    with state.project.generations[-1].held("wf train"):
        shown = client.get("/api/generations/2").json()
        assert (shown["state"], shown["holder"]) == ("training", "wf train")
        assert client.get("/api/generations/2/metrics").json()["running"] is True
        answer = client.post("/api/jobs", json={"kind": "train"})
    assert (answer.status_code, "in use by wf train" in answer.json()["error"]["message"]) == (409, True)


def test_a_job_can_be_cancelled_and_may_die(served: tuple[TestClient, State]) -> None:
    client, state = served
    first = begun(client, kind="train", generation=1, max_iter=10**9)
    second = begun(client, kind="prepare")
    assert client.delete(f"/api/jobs/{second}").json()["job"]["state"] == "cancelled"
    end = time.monotonic() + 120
    while state.jobs._process is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    os.kill(state.jobs._process.pid, signal.SIGKILL)  # type: ignore[union-attr]
    job = ended(client, first)
    assert (job["state"], "signal 9" in job["error"]["message"]) == ("failed", True)
    failed = ended(client, begun(client, kind="diff", old="gen1", new="gen9"))
    assert (failed["state"], "generation 9 not found" in failed["error"]["message"]) == ("failed", True)


def test_a_job_can_be_cancelled_while_its_process_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = asyncio.create_subprocess_exec

    async def run() -> str:
        beginning, go_on = asyncio.Event(), asyncio.Event()

        async def slowly(*words: Any, **options: Any) -> asyncio.subprocess.Process:
            beginning.set()
            await go_on.wait()
            return await begin(*words, **options)

        monkeypatch.setattr(asyncio, "create_subprocess_exec", slowly)
        queue = jobs.Jobs(tmp_path, {"project": str(tmp_path)}, lambda _: None)
        job = await queue.add("prepare", "prepare", {}, {})
        await beginning.wait()
        await queue.cancel(job.id)
        go_on.set()
        while queue._running is not None or not job.over:
            await asyncio.sleep(0.01)
        await queue.close()
        return job.state

    assert asyncio.run(run()) == "cancelled"


def test_jobs_survive_a_reload_and_end_with_the_server(root: Path) -> None:
    with serving(root) as (client, _):
        known = client.get("/api/jobs").json()["jobs"]
        number = begun(client, kind="train", generation=1, max_iter=10**9)
        end = time.monotonic() + 120
        while client.get(f"/api/jobs/{number}").json()["state"] == "waiting":
            assert time.monotonic() < end
            time.sleep(0.05)
    with serving(root) as (client, state):
        job = client.get(f"/api/jobs/{number}").json()
        assert job["state"] == "ended with the server"
        assert [one["id"] for one in client.get("/api/jobs").json()["jobs"]] == [number, *(one["id"] for one in known)]
        assert state.project.generations[0].holder is None


def test_what_old_jobs_drew_is_removed(project_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_KEPT", 1)
    root = tmp_path / "copy"
    shutil.copytree(project_folder, root)
    with serving(root) as (client, state):
        sha = judged(client, png(7))["sha256"]
        first, second = (
            client.post(f"/api/pictures/{sha}/looks", json={"look": "inspect", "snapshot": f"gen1/iter_{one}"}).json()
            for one in (10, 20)
        )
        for one in (first, second):
            assert ended(client, one["job"]["id"])["state"] == "done"
        folders = [state.inbox.folder / "looks" / sha / str(one["job"]["id"]) for one in (first, second)]
        assert [one.is_dir() for one in folders] == [True, True]
        third = begun(client, kind="diff", old="gen1", new="gen9")
        ended(client, third)
        assert [one.is_dir() for one in folders] == [False, True]
        assert [one["id"] for one in client.get("/api/jobs").json()["jobs"]] == [third, second["job"]["id"]]


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"kind": "nothing"},
        {"kind": "prepare", "more": 1},
        {"kind": "train", "generation": -1},
        {"kind": "train", "generation": 10**20},
        {"kind": "train", "weights": "/etc/passwd"},
        {"kind": "train", "max_iter": 0},
        {"kind": "diff", "old": "gen1", "new": "../x"},
        {"kind": "dream", "generation": 1, "unit": "conv"},
        {"kind": "report"},
        {"kind": "fill", "queue": "sent"},
        {"kind": "fill", "queue": "junk"},
        {"kind": "fill", "queue": "junk", "folder": "../.."},
        {"kind": "fill", "queue": "folder", "folder": "generations"},
    ],
    ids=json.dumps,
)
def test_wishes_that_are_none(client: TestClient, wish: dict[str, object]) -> None:
    answer = client.post("/api/jobs", json=wish)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]


def test_what_is_not_there(client: TestClient) -> None:
    for path in ("/api/jobs/999", "/api/jobs/999/pictures/x.png", "/api/generations/9", "/api/generations/1/report"):
        assert client.get(path).status_code == 404, path
    assert client.post("/api/jobs", json={"kind": "train", "generation": 9}).status_code == 404
    assert client.get("/api/jobs/1/pictures/..%2f..%2fjobs.json").status_code in (404, 422)

"""Whoever changes a generation, the pages are told."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from served import serving

from workflow.web import following
from workflow.web.state import State


def told(state: State, name: str, **expected: object) -> bool:
    """Whether an event of that name comes soon."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for _, text in list(state.events._kept):
            lines = text.decode().splitlines()
            data: dict[str, Any] = json.loads(lines[2].removeprefix("data: "))
            if lines[1] == f"event: {name}" and expected.items() <= data.items():
                return True
        time.sleep(0.05)
    return False


def test_pages_are_told_within_two_seconds(project_folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(project_folder, root)
    with serving(root) as (client, state):
        (one,) = state.project.generations
        assert told(state, "generation", live="gen1/iter_20")
        one.logs.mkdir(exist_ok=True)
        with (one.logs / "metrics.jsonl").open("a", buffering=1) as file:
            file.write('{"kind": "step", "iteration": 0, "loss": 2.3}\n{"kind": "st')
            assert told(state, "metrics", generation=1)
            part = client.get("/api/generations/1/metrics").json()
            assert [row["iteration"] for row in part["lines"]] == [0]  # a half line is not given out
            file.write('ep", "iteration": 1, "loss": NaN}\n')
        part = client.get(f"/api/generations/1/metrics?from={part['next']}").json()
        assert part["lines"] == [{"kind": "step", "iteration": 1, "loss": None}]
        with one.held("wf train"):
            assert told(state, "generation", number=1, running=True)
        assert told(state, "generation", number=1, running=False)
        shutil.copytree(one.folder, root / "generations" / "gen2")
        assert told(state, "generation", number=2)


def test_a_look_that_fails_is_not_the_last(project_folder: Path, tmp_path: Path, monkeypatch: Any, caplog: Any) -> None:
    root = tmp_path / "copy"
    shutil.copytree(project_folder, root)
    monkeypatch.setattr(following, "_PATIENCE", 0.0)
    real, calls = following.generations, []

    def hiccup(config: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise OSError("the disk hiccups")
        return real(config)

    monkeypatch.setattr(following, "generations", hiccup)
    with serving(root) as (_, state):
        end = time.monotonic() + 60
        while len(calls) < 3:
            assert time.monotonic() < end
            time.sleep(0.05)
        (one,) = real(state.project.config)
        with one.held("wf train"):
            assert told(state, "generation", number=1, running=True)
    assert "cannot look at the generations" in caplog.text

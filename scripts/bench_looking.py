"""How long it takes to look into a picture once PyTorch and the snapshot are loaded: whole commands, less their start.

The start is `wf predict` of one picture with the same engine. The pictures are frogs and the rest of CIFAR-10, 600 of
each; what `twin` and `page` read of the training set is cached by the first turn, which does not count.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

PICTURES, ITERATIONS, TURNS = 600, 200, 5
START = ["predict", "--engine", "torch"]
COMMANDS = {
    "inspect --page": (["inspect", "--page"], 7.0),
    "maps, seven methods": (["maps"], 2.0),
    "dream": (["dream", "--class", "frog"], 2.5),
    "twin": (["twin"], 3.0),
}


def bench_looking(wf: Path, cifar: Path, folder: Path, limit: Callable[..., None]) -> None:
    """Each command in turn, after its start."""
    project = _project(wf, cifar, folder / "looking")
    picture = next((project / "images" / "frog").iterdir())
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(TURNS + 1):
        start = _timed(wf, project, [*START, picture])
        for name, (command, _) in COMMANDS.items():
            taken = _timed(wf, project, command if name == "dream" else [*command, picture]) - start
            if turn:
                seconds[name].append(taken)
    for name, (_, bar) in COMMANDS.items():
        limit(f"{name}, after start-up", statistics.median(seconds[name]), bar, "s")


def _timed(wf: Path, project: Path, command: list[str | Path]) -> float:
    start = time.perf_counter()
    subprocess.run([wf, *command], cwd=project, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def _project(wf: Path, cifar: Path, project: Path) -> Path:
    """A trained generation."""
    subprocess.run([wf, "init", project], check=True, stdout=subprocess.DEVNULL)
    folders = sorted((cifar / "train").iterdir())
    others = [islice(folder.glob("*.jpg"), PICTURES // 9) for folder in folders if folder.name != "frog"]
    chosen = {"frog": [islice((cifar / "train" / "frog").glob("*.jpg"), PICTURES)], "other": others}
    for name, parts in chosen.items():
        target = project / "images" / name
        target.mkdir(parents=True)
        for path in (one for part in parts for one in part):
            (target / f"{path.parent.name}-{path.name}").symlink_to(path)
    for command in (["prepare"], ["train", "--max-iter", ITERATIONS]):
        _timed(wf, project, [str(part) for part in command])
    return project

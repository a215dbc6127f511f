"""`scripts/bench neighbours`: training beside other processes, as on the cheapest server there is."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_ITERATIONS = 80
_ROUNDS = 3

Limit = Callable[[str, float, float, str], None]


class Trainings:
    """`wf train` of copies of one project, a process each."""

    def __init__(self, wf: Path, project: Path, folder: Path, count: int) -> None:
        self._wf = wf
        self._projects = [folder / f"neighbour{number}" for number in range(count)]
        for one in self._projects:
            shutil.copytree(project, one)

    def run(self, count: int) -> float:
        """Milliseconds of an iteration, the mean of a run, of the slowest of so many runs at once."""
        command = [
            str(self._wf),
            "--config",
            "configs/cifar10.yaml",
            "train",
            "--fresh",
            "--max-iter",
            str(_ITERATIONS),
            "-q",
        ]
        running = [
            subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for project in self._projects[:count]
        ]
        if any(process.wait() for process in running):
            raise SystemExit("wf train failed")
        return max(self._milliseconds(project) for project in self._projects[:count])

    @staticmethod
    def _milliseconds(project: Path) -> float:
        record = json.loads((project / "generations" / "gen1" / "generation.json").read_text())
        return 1000 * record["training"]["seconds_per_iteration"]


@contextmanager
def busy() -> Iterator[None]:
    """One process that computes all the time."""
    loop = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        loop.kill()
        loop.wait()


def bench_neighbours(
    wf: Path, project: Path, folder: Path, rivals: dict[str, Callable[[int], list[float]]], limit: Limit, least: Limit
) -> None:
    """Print the rows.

    Args:
        wf: the program.
        project: with a generation 1.
        folder: for copies of the project.
        rivals: real Caffe with a number of threads: seconds of so many iterations.
        limit: prints a row with an upper bound.
        least: prints a row with a lower bound.
    """
    trainings = Trainings(wf, project, folder, 2)
    found: dict[str, list[float]] = {"alone": [], "beside": [], "two": []}
    caffe: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(_ROUNDS):
        found["alone"].append(trainings.run(1))
        with busy():
            found["beside"].append(trainings.run(1))
            for name, repeat in rivals.items():
                caffe[name] += repeat(12)[2:]
        found["two"].append(trainings.run(2))
    alone, beside, two = (statistics.median(values) for values in found.values())
    best = 1000 * min(statistics.median(values) for values in caffe.values())
    print(f"training iteration: {alone:.1f} ms alone, {beside:.1f} beside a busy process, {two:.1f} two at once")
    print(f"real Caffe beside a busy process, its better number of threads: {best:.1f} ms")
    limit("training beside a busy process", beside / alone, 1.7, "x")
    limit("two trainings at once, each", two / alone, 2.3, "x")
    least("training beside one, against Caffe", best / beside, 2.2, "x")

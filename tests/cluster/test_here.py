"""Whoever works, every part is done once; processes that die, at whatever moment, cost nothing but time."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from squares import Squares, numbers_until

from workflow.cluster import here, process, team
from workflow.cluster.crew import Workers
from workflow.cluster.here import Here
from workflow.cluster.parts import cut, fixed
from workflow.cluster.receipt import in_order
from workflow.cluster.result_file import read_result
from workflow.errors import DataError, EnvironmentFault

PROCESSES = Workers(2, processes=True)
EVERYONE = [Workers(1), Workers(3), Workers(1, processes=True), PROCESSES]


@pytest.fixture(autouse=True)
def _program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers know the tests' own work, too."""
    monkeypatch.setattr(process, "PROGRAM", process.PROGRAM.replace("from workflow", "import squares; from workflow"))


def done(
    items: list[bytes], folder: Path, workers: Workers = PROCESSES, size: int = 4, **settings: str
) -> tuple[list[int], dict[int, str]]:
    """The squares in the order of the items, and the places of the deadly ones."""
    folder.mkdir(exist_ok=True)
    squares: list[int] = []
    deadly: dict[int, str] = {}
    parts = cut(fixed(len(items), size), lambda start, stop: items[start:stop])
    for receipt in in_order(Here(workers).map(Squares(**settings), parts, folder)):
        facts, arrays = read_result(receipt.path)
        squares += arrays["squares"].tolist()
        deadly |= {receipt.start + int(place): how for place, how in facts.items()}
    return squares, deadly


NUMBERS = [str(number).encode() for number in range(30)]
SQUARES = [number**2 for number in range(30)]


@pytest.mark.parametrize("workers", EVERYONE)
def test_everyone_gives_the_same(tmp_path, workers):
    assert done(NUMBERS, tmp_path / "parts", workers) == (SQUARES, {})
    assert len(list((tmp_path / "parts").iterdir())) == 8  # a file for each part, and none under a temporary name


@pytest.mark.parametrize("workers", EVERYONE)
def test_a_part_whose_result_is_there_is_not_done_again(tmp_path, workers):
    done(NUMBERS, tmp_path / "parts", workers)
    (tmp_path / "parts" / "part-000003").unlink()
    (log := tmp_path / "log").mkdir()
    assert done(NUMBERS, tmp_path / "parts", workers, log=str(log)) == (SQUARES, {})
    assert [path.name.partition("-")[0] for path in log.iterdir()] == ["3"]


def test_t13_an_item_at_which_processes_die_is_left_out_alone(tmp_path, monkeypatch):
    """Its part is asked for again, then halved with nothing beside it."""
    monkeypatch.setattr(here, "_DEATHS", 2)  # for less time
    items = [*NUMBERS[:13], b"segv", b"kill", *NUMBERS[13:]]
    assert done(items, tmp_path / "parts", size=3) == (SQUARES, {13: "SIGSEGV", 14: "out of memory"})


@pytest.mark.parametrize("workers", EVERYONE)
def test_memory_that_does_not_suffice_is_tried_alone(tmp_path, workers):
    items = [*NUMBERS[:5], b"memory", *NUMBERS[5:]]
    (log := tmp_path / "log").mkdir()
    assert done(items, tmp_path / "parts", workers, log=str(log)) == ([*SQUARES[:5], -1, *SQUARES[5:]], {})
    parts = [
        name.split("-")[0]
        for name in sorted((path.name for path in log.iterdir()), key=lambda name: int(name.split("-")[2]))
    ]
    assert parts.count("1") == 2
    assert parts[-1] == "1"


def test_t13_a_death_before_the_first_part_is_no_part_s(tmp_path):
    assert done(NUMBERS, tmp_path / "parts", start="dies once", log=str(tmp_path)) == (SQUARES, {})


@pytest.mark.parametrize("items", [NUMBERS, [b"kill"] * 30])
def test_t13_when_everything_dies_it_ends(tmp_path, items, monkeypatch):
    monkeypatch.setattr(team, "_IN_A_ROW", 3)  # for less time
    with pytest.raises(EnvironmentFault, match=r"3 processes in a row were ended \(with SIGKILL\), the last") as caught:
        done(items, tmp_path / "parts", start="dies" if items is NUMBERS else "")
    assert caught.value.fault == "T13"


def test_errors_of_the_work_are_those_of_the_caller(tmp_path):
    with pytest.raises(DataError, match="no such net") as caught:
        done(NUMBERS, tmp_path / "parts", start="fails")
    assert (caught.value.hint, caught.value.fault) == ("look elsewhere", "C06")
    with pytest.raises(OSError, match="No space left") as full:
        done([*NUMBERS, b"disk"], tmp_path / "parts")
    assert full.value.errno == 28
    with pytest.raises(RuntimeError, match="KeyError: 'a bug'"):
        done([*NUMBERS, b"bug"], tmp_path / "parts")


def test_whoever_stops_to_listen_ends_all_processes(tmp_path):
    """They are not waited for: no result comes of what they were at."""
    parts = cut(fixed(30, 2), lambda start, stop: [*NUMBERS[:2], *[b"wait"] * 28][start:stop])
    receipts = Here(PROCESSES).map(Squares(), parts, tmp_path)
    next(receipts)
    receipts.close()
    assert not workers_of_this_process()
    assert [path.name for path in tmp_path.iterdir() if "tmp" not in path.name] == ["part-000000"]


def test_t13_processes_killed_at_random_moments_cost_nothing(tmp_path):
    """While they start, too."""
    moments = 5
    generator = random.Random(7)
    killed, over = [], threading.Event()

    def kill() -> None:
        while len(killed) < moments and not over.is_set():
            time.sleep(generator.uniform(0, 0.1))
            if found := workers_of_this_process():
                with suppress(ProcessLookupError):
                    os.kill(victim := generator.choice(found), signal.SIGKILL)
                    killed.append(victim)

    thread = threading.Thread(target=kill)
    thread.start()
    folder = tmp_path / "parts"
    folder.mkdir()
    squares: list[int] = []
    parts = numbers_until(lambda: len(killed) == moments)
    for receipt in in_order(Here(Workers(3, processes=True)).map(Squares(), parts, folder)):
        squares += read_result(receipt.path)[1]["squares"].tolist()
    over.set()
    thread.join()
    assert squares == [number**2 for number in range(len(squares))]
    assert len(killed) == moments


def workers_of_this_process() -> list[int]:
    """The children of this process that run a worker, or are about to."""
    found = []
    listed = [path.read_text() for path in Path(f"/proc/{os.getpid()}/task").glob("*/children")]
    for child in " ".join(listed).split():
        with suppress(FileNotFoundError, ProcessLookupError):
            if b"workflow.cluster.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


def test_workers_end_with_their_parent():
    import subprocess

    code = "from workflow.cluster.worker import main; main()"
    worker = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    worker.stdin.close()
    assert worker.wait(timeout=60) == 0

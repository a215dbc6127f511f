"""Decoding in this process and in several gives the same; a process that dies is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from workflow.config import Preprocessing
from workflow.data import pool, worker
from workflow.data.pictures import Picture, interpret
from workflow.data.pool import Crew, Paths, crew_for, decode_all, spool_path
from workflow.data.sniff import PictureError
from workflow.data.worker import NOTES, read_stable
from workflow.errors import EnvironmentFault

PREPROCESSING = Preprocessing(width=5, height=7)


@pytest.fixture
def files(tmp_path, draw) -> list[bytes]:
    """Forty pictures, an empty file, one with a wrong extension and one that is missing."""
    paths = [draw(tmp_path / "images" / f"{seed}.png", seed) for seed in range(40)]
    paths[7].write_bytes(b"")
    paths[9].rename(paths[9].with_suffix(".jpg"))
    paths[9] = paths[9].with_suffix(".jpg")
    paths[11].unlink()
    return [os.fsencode(path) for path in paths]


def decoded(files: list[bytes], folder: Path, crew: Crew, paths: Paths | None = None) -> dict[int, tuple]:
    """Number of the file -> what became of it."""
    folder.mkdir()
    fates: dict[int, tuple] = {}
    order: dict[int, list[tuple[int, bytes, int]]] = {}
    for result in decode_all(
        len(files),
        paths or (lambda start, stop: files[start:stop]),
        crew=crew,
        folder=folder,
        preprocessing=PREPROCESSING,
        max_pixels=10_000,
    ):
        refused = {result.start + one.place: one for one in result.answer.refusals}
        fates |= {index: (one.what, one.kind) for index, one in refused.items()}
        good = [index for index in range(result.start, result.stop) if index not in refused]
        answer = result.answer
        for place, index in enumerate(good):
            digest = answer.digests[32 * place : 32 * place + 32]
            order.setdefault(result.spool, []).append((index, digest, answer.notes[place]))
    for number, rows in order.items():
        pixels = np.fromfile(spool_path(folder, number), np.uint8).reshape(-1, 3 * 7 * 5)
        assert len(pixels) == len(rows)
        fates |= {row[0]: (*row[1:], pixels[place].tobytes()) for place, row in enumerate(rows)}
    return fates


def test_several_give_what_one_gives(files, tmp_path):
    alone = decoded(files, tmp_path / "one", Crew(1))
    assert decoded(files, tmp_path / "processes", Crew(3, processes=True)) == alone
    assert decoded(files, tmp_path / "threads", Crew(3)) == alone
    assert sorted(alone) == list(range(40))
    assert alone[7] == ("skipped", "empty")
    assert alone[11] == ("changed", "changed")
    assert alone[9][1] == 1 << NOTES.index("extension")
    assert alone[8][1] == 0


def test_t13_files_of_a_process_that_was_killed_are_decoded_by_another(files, tmp_path):
    """As the kernel does it when memory runs out: while one of the files is decoded."""
    alone = decoded(files, tmp_path / "one", Crew(1))
    killed: list[int] = []

    def paths(start: int, stop: int) -> list[bytes]:
        if start >= 20 and len(killed) < 2:
            killed.extend(kill_children())
        return files[start:stop]

    assert decoded(files, tmp_path / "killed", Crew(2, processes=True), paths) == alone
    assert len(killed) >= 2


def test_t13_a_file_that_ends_each_process_is_refused_by_its_name(files, tmp_path):
    def paths(start: int, stop: int) -> list[bytes]:
        if start <= 21 < stop:
            kill_children()
        return files[start:stop]

    fates = decoded(files, tmp_path / "killed", Crew(2, processes=True), paths)
    assert sorted(fates) == list(range(40))
    assert fates[21] == ("skipped", "out of memory")
    alone = decoded(files, tmp_path / "one", Crew(1))
    del alone[21], fates[21]
    assert fates == alone


def test_t13_when_everything_is_killed_the_preparation_ends(files, tmp_path):
    def paths(start: int, stop: int) -> list[bytes]:
        kill_children()
        return files[start:stop]

    with pytest.raises(EnvironmentFault, match="8 decoding processes in a row were ended .*SIGKILL.*7.png") as caught:
        decoded(files, tmp_path / "killed", Crew(2, processes=True), paths)
    assert caught.value.fault == "T13"


def kill_children() -> list[int]:
    """Kill this process's children, but for the one in which other tests run real Caffe."""
    me = os.getpid()
    children = [int(child) for child in Path(f"/proc/{me}/task/{me}/children").read_text().split()]
    killed = []
    for child in children:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            if b"import numpy as np, caffe" not in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(child, signal.SIGKILL)
                killed.append(child)
    return killed


@pytest.mark.parametrize("crew", [Crew(1), Crew(2), Crew(2, processes=True)])
def test_p12_memory_that_does_not_suffice_is_said_of_the_file_alone(files, tmp_path, crew, monkeypatch):
    """Four files that take more than there is: two in a row, the first and the last."""
    large = (0, 12, 13, 39)
    if crew.processes:
        monkeypatch.setattr(pool, "_PROGRAM", _FULL.format(names=[os.fsdecode(files[index]) for index in large]))
    else:
        monkeypatch.setattr(
            worker, "interpret", without_memory([Path(os.fsdecode(files[i])).read_bytes() for i in large])
        )
    fates = decoded(files, tmp_path / "full", crew)
    monkeypatch.undo()
    alone = decoded(files, tmp_path / "one", Crew(1))
    assert {index for index, fate in fates.items() if fate == ("skipped", "out of memory")} == set(large)
    assert {i: fate for i, fate in fates.items() if i not in large} == {
        i: f for i, f in alone.items() if i not in large
    }


def read(path: bytes) -> bytes:
    return Path(os.fsdecode(path)).read_bytes()


def without_memory(large: list[bytes]):
    """The decoder on a machine that has no memory for some files."""

    def decode(data: bytes, *rest: object, **options: object) -> Picture:
        if data in large:
            raise MemoryError
        return interpret(data, *rest, **options)

    return decode


_FULL = """
import sys; sys.path[:] = sys.argv[1:]
from pathlib import Path
from workflow.data import worker
large, real = [Path(name).read_bytes() for name in {names!r}], worker.interpret
def interpret(data, *rest, **options):
    if data in large:
        raise MemoryError
    return real(data, *rest, **options)
worker.interpret = interpret
worker.main()
"""


def test_a_spool_that_cannot_be_written_is_told(files, tmp_path):
    with pytest.raises(OSError, match="No such file"):
        list(
            decode_all(
                40,
                lambda start, stop: files[start:stop],
                crew=Crew(2, processes=True),
                folder=tmp_path / "missing",
                preprocessing=PREPROCESSING,
                max_pixels=10_000,
            )
        )


def test_workers_end_with_their_parent():
    process = subprocess.Popen(
        [sys.executable, "-c", "from workflow.data.worker import main; main()"], stdin=subprocess.PIPE
    )
    process.stdin.close()
    assert process.wait(timeout=10) == 0


def test_a_handful_is_decoded_here(files):
    def paths(start: int, stop: int) -> list[bytes]:
        return files[start:stop]

    cores = len(os.sched_getaffinity(0))
    assert crew_for(40, paths, None) == Crew(1)
    assert crew_for(40, paths, 3) == Crew(3, processes=True)
    assert crew_for(1000, paths, None) == Crew(cores, processes=cores > 1)


def test_a_few_large_files_are_shared_among_threads(tmp_path):
    path = tmp_path / "large.jpg"
    path.write_bytes(b"\0" * 5_000_000)
    crew = crew_for(8, lambda start, stop: [os.fsencode(path)] * (stop - start), None)
    assert crew == Crew(min(8, len(os.sched_getaffinity(0))))


def test_p31_a_file_that_changes_is_not_believed(tmp_path):
    with pytest.raises(OSError, match="changed while being read"):
        read_stable(b"/proc/self/status", 10**6)  # says that it is empty, and is not
    os.mkfifo(tmp_path / "fifo")
    began = time.monotonic()
    with pytest.raises(OSError, match="no longer a regular file"):
        read_stable(os.fsencode(tmp_path / "fifo"), 10**6)
    assert time.monotonic() - began < 1


def test_p12_files_far_too_large_are_not_read(tmp_path):
    path = tmp_path / "film.jpg"
    with path.open("wb") as file:
        file.truncate(10**12)  # a hole
    with pytest.raises(PictureError, match="more than a picture needs"):
        read_stable(os.fsencode(path), 10**6)

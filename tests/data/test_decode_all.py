"""Decoding in this process and in several gives the same; a process that dies is told."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from workflow import cores
from workflow.cluster import here, process
from workflow.cluster.crew import Workers
from workflow.config import Preprocessing
from workflow.data import decoding
from workflow.data.decode_all import decode_all, workers_for
from workflow.data.decoding import NOTES
from workflow.data.pictures import Picture, interpret

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


def decoded(files: list[bytes], folder: Path, workers: Workers) -> dict[int, tuple]:
    """Number of the file -> what became of it."""
    folder.mkdir()
    fates: dict[int, tuple] = {}
    for one in decode_all(
        len(files),
        lambda start, stop: files[start:stop],
        workers=workers,
        folder=folder,
        preprocessing=PREPROCESSING,
        max_pixels=10_000,
    ):
        refused = {one.start + refusal.place: refusal for refusal in one.refusals}
        fates |= {index: (refusal.what, refusal.kind) for index, refusal in refused.items()}
        good = [index for index in range(one.start, one.stop) if index not in refused]
        pixels = one.pixels(PREPROCESSING.shape)
        for row, index in enumerate(good):
            fates[index] = (one.digests[row].tobytes(), one.notes[row], one.thumbnails[row].tobytes())
            fates[index] += (pixels[row].tobytes(),)
    return fates


def test_several_give_what_one_gives(files, tmp_path):
    alone = decoded(files, tmp_path / "one", Workers(1))
    assert decoded(files, tmp_path / "processes", Workers(3, processes=True)) == alone
    assert decoded(files, tmp_path / "threads", Workers(3)) == alone
    assert sorted(alone) == list(range(40))
    assert alone[7] == ("skipped", "empty")
    assert alone[11] == ("changed", "changed")
    assert alone[9][1] == 1 << NOTES.index("extension")
    assert alone[8][1] == 0


def test_t13_a_picture_at_which_processes_die_is_left_out_by_its_reason(files, tmp_path, monkeypatch):
    """Number 21 breaks the decoder, and 22 uses up all memory; all others are there."""
    alone = decoded(files, tmp_path / "one", Workers(1))
    monkeypatch.setattr(here, "_DEATHS", 1)  # for less time
    ends = {os.fsdecode(files[21]): signal.SIGSEGV, os.fsdecode(files[22]): signal.SIGKILL}
    monkeypatch.setattr(process, "PROGRAM", _DEADLY.format(ends={name: int(code) for name, code in ends.items()}))
    fates = decoded(files, tmp_path / "killed", Workers(2, processes=True))
    assert (fates.pop(21), fates.pop(22)) == (("skipped", "damaged"), ("skipped", "out of memory"))
    del alone[21], alone[22]
    assert fates == alone


_DEADLY = """
import sys; sys.path[:] = sys.argv[1:]
import os
from pathlib import Path
from workflow.cluster import worker
from workflow.data import decoding
ends, real = {{Path(name).read_bytes(): code for name, code in {ends!r}.items()}}, decoding.interpret
def interpret(data, *rest, **options):
    if data in ends:
        os.kill(os.getpid(), ends[data])
    return real(data, *rest, **options)
decoding.interpret = interpret
worker.main()
"""


@pytest.mark.parametrize("workers", [Workers(1), Workers(2), Workers(2, processes=True)])
def test_p12_memory_that_does_not_suffice_is_said_of_the_file_alone(files, tmp_path, workers, monkeypatch):
    """Four files that take more than there is: two in a row, the first and the last."""
    large = (0, 12, 13, 39)
    if workers.processes:
        monkeypatch.setattr(process, "PROGRAM", _FULL.format(names=[os.fsdecode(files[index]) for index in large]))
    else:
        monkeypatch.setattr(
            decoding, "interpret", without_memory([Path(os.fsdecode(files[i])).read_bytes() for i in large])
        )
    fates = decoded(files, tmp_path / "full", workers)
    monkeypatch.undo()
    alone = decoded(files, tmp_path / "one", Workers(1))
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
from workflow.cluster import worker
from workflow.data import decoding
large, real = [Path(name).read_bytes() for name in {names!r}], decoding.interpret
def interpret(data, *rest, **options):
    if data in large:
        raise MemoryError
    return real(data, *rest, **options)
decoding.interpret = interpret
worker.main()
"""


def test_a_handful_is_decoded_here(files):
    def paths(start: int, stop: int) -> list[bytes]:
        return (files * 60)[start:stop]

    available = cores.available()
    assert workers_for(40, paths, None) == workers_for(900, paths, None) == Workers(1)
    assert workers_for(40, paths, 3) == Workers(3, processes=True)
    assert workers_for(2000, paths, None) == Workers(available, processes=available > 1)


def test_a_few_large_files_are_shared_among_threads(tmp_path):
    path = tmp_path / "large.jpg"
    path.write_bytes(b"\0" * 5_000_000)
    workers = workers_for(8, lambda start, stop: [os.fsencode(path)] * (stop - start), None)
    assert workers == Workers(min(8, cores.available()))

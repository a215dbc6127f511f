"""Hostile files cost one answer, and honest ones are decoded beside them."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import pytest
from PIL import Image
from served import png

from workflow.config import Preprocessing
from workflow.data.pictures import interpret
from workflow.web import decoder_process
from workflow.web.decoders import Decoders, Process, refusal
from workflow.web.errors import Refused

T = TypeVar("T")
SMALL = Preprocessing(width=8, height=9)


def decoding(ask: Callable[[Decoders], Awaitable[T]], **options: float) -> T:
    async def run() -> T:
        decoders = Decoders(warm=True, **options)  # type: ignore[arg-type]
        try:
            return await ask(decoders)
        finally:
            await asyncio.to_thread(decoders.close)

    return asyncio.run(run())


async def started(decoders: Decoders) -> list[Process]:
    while None in decoders.processes:
        await asyncio.sleep(0.02)
    return [one for one in decoders.processes if one is not None]


def bomb(width: int, height: int) -> bytes:
    """A PNG of zeros: a thousand times as large as its file."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b"")
    )


def test_pixels_are_those_of_the_one_decode_path() -> None:
    data = png(5)
    found = decoding(lambda decoders: decoders.pixels(data, SMALL))
    np.testing.assert_array_equal(found.pixels, interpret(data, SMALL).pixels)
    assert (found.format, found.width, found.height) == ("PNG", 20, 16)


def test_limits_depend_on_the_format() -> None:
    async def ask(decoders: Decoders) -> list[int]:
        file = io.BytesIO()
        Image.new("L", (5000, 2600)).save(file, "JPEG")
        baseline = file.getvalue()
        file = io.BytesIO()
        Image.new("L", (5000, 2600)).save(file, "JPEG", progressive=True)
        statuses = []
        for data in (baseline, file.getvalue(), bomb(5000, 2600), bomb(2**31 - 1, 2**31 - 1), b"GIF89a" + bytes(20)):
            try:
                await decoders.pixels(data, SMALL)
                statuses.append(200)
            except Refused as error:
                statuses.append(error.status)
        return statuses

    assert decoding(ask) == [200, 413, 413, 413, 422]


def test_a_large_picture_of_the_owner_has_a_thumbnail() -> None:
    """What a stranger sends is judged first, and refused then."""
    file = io.BytesIO()
    Image.new("L", (5000, 2600), 77).save(file, "PNG")
    made = decoding(lambda decoders: decoders.thumbnail(file.getvalue(), 256))
    assert Image.open(io.BytesIO(made)).size == (256, 133)
    with pytest.raises(Refused, match="more than the limit of 50 Mpx"):
        decoding(lambda decoders: decoders.thumbnail(bomb(8000, 7000), 256))


def test_a_death_costs_one_answer() -> None:
    async def ask(decoders: Decoders) -> list[object]:
        for process in await started(decoders):
            os.kill(process.pid, signal.SIGKILL)
        return await asyncio.gather(*(decoders.pixels(png(), SMALL) for _ in range(5)), return_exceptions=True)

    found = decoding(ask)
    dead = [one for one in found if isinstance(one, Exception)]
    assert len(dead) in (1, 2)  # a process may have had all of them
    assert all(isinstance(one, Refused) and one.status == 422 for one in dead)


def test_what_takes_too_long_is_ended() -> None:
    async def ask(decoders: Decoders) -> Refused:
        for process in await started(decoders):
            os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(Refused, match="longer than 0.3 seconds") as caught:
            await decoders.pixels(png(), SMALL)
        return caught.value

    assert decoding(ask, seconds=0.3).status == 422


def test_a_decoder_is_confined(tmp_path: Path) -> None:
    """To memory beside what it has, and to writing no file."""
    code = """
import sys
from workflow.web.decoder_process import confine
confine(2**26)
bytearray(2**24)
try:
    bytearray(2**27)
except MemoryError:
    print('no memory', file=sys.stderr)
try:
    open(sys.argv[1], 'wb', buffering=0).write(b'x')
except OSError as error:
    print(error.strerror, file=sys.stderr)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "file")]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True)
    memory = ["no memory"] if Path("/proc/self/statm").exists() else []
    assert done.stderr.splitlines() == [*memory, "File too large"]


def test_too_little_memory_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def starve(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(decoder_process, "interpret", starve)
    facts, _ = decoder_process.answer(b"pixels", msgspec.json.encode(SMALL), True, png())
    refused = refusal(facts)
    assert (refused.status, refused.fault) == (413, "P12")


def test_a_thumbnail_carries_no_metadata() -> None:
    picture, file = Image.new("RGB", (400, 200), "red"), io.BytesIO()
    facts = Image.Exif()
    facts[0x010E] = "a secret place"
    picture.save(file, "JPEG", exif=facts, comment=b"a secret place")
    made = decoding(lambda decoders: decoders.thumbnail(file.getvalue(), 100))
    assert b"secret" not in made
    assert Image.open(io.BytesIO(made)).size == (100, 50)

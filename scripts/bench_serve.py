"""`scripts/bench serve`: how fast `wf serve` judges, and what it withstands.

The load comes from a process of its own (this file as a program), with a thread for each connection.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_SECONDS = 10.0
_SIZE = 200_000  # bytes of a picture, about


# ---- the client, which runs as a program ----------------------------------------------------------------------


class Connection:
    """A connection that is kept."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def post(self, body: bytes, kind: bytes = b"image/jpeg", path: bytes = b"/api/judge") -> tuple[int, float]:
        """Status and seconds of one request; status 0 where the connection broke."""
        head = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
        began = time.perf_counter()
        try:
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(head % (path, self._port, kind, len(body)) + body)
            status = self._answer(self._socket)
        except OSError:
            self.close()
            status = 0
        return status, time.perf_counter() - began

    def _answer(self, connection: socket.socket) -> int:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                raise ConnectionError
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        while len(rest) < length:
            more = connection.recv(65536)
            if not more:
                raise ConnectionError
            rest += more
        if b"connection: close" in head.lower():
            self.close()
        return int(head.split()[1])

    def close(self) -> None:
        """End it."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None


def load(port: int, pictures: Sequence[bytes], connections: int, seconds: float) -> list[tuple[int, float]]:
    """Status and seconds of every request of so many connections, each of which asks again at once."""
    results: list[tuple[int, float]] = []
    end = time.monotonic() + seconds

    def ask(number: int) -> None:
        connection, mine = Connection(port), []
        for turn in range(1_000_000):
            if time.monotonic() > end:
                break
            picture = pictures[(number * 37 + turn) % len(pictures)]
            mine.append(connection.post(picture + struct.pack("<IIQ", number, turn, time.monotonic_ns())))
            if mine[-1][0] in (0, 429, 503):
                time.sleep(0.2)  # so that 320 connections ask ten times as often as 150 times a second
        connection.close()
        results.extend(mine)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def client() -> None:
    """The program: port, folder of pictures, connections, seconds -> a line of JSON."""
    port, folder, connections, seconds = sys.argv[1:5]
    pictures = [path.read_bytes() for path in sorted(Path(folder).iterdir())]
    began = time.perf_counter()
    results = load(int(port), pictures, int(connections), float(seconds))
    print(json.dumps({"seconds": time.perf_counter() - began, "results": results}))


# ---- the measurements -----------------------------------------------------------------------------------------


def make_pictures(folder: Path, count: int = 32) -> None:
    """JPEGs of about 200 KB, as cameras' are: 1280 x 960, baseline."""
    import numpy as np
    from PIL import Image

    folder.mkdir()
    rng = np.random.default_rng(1)
    for number in range(count):
        coarse = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        smooth = Image.fromarray(coarse).resize((1280, 960), Image.Resampling.BICUBIC)
        noise = rng.normal(0, 9, (960, 1280, 1))
        image = Image.fromarray((np.asarray(smooth) + noise).clip(0, 255).astype(np.uint8))
        for quality in range(95, 20, -3):
            file = io.BytesIO()
            image.save(file, "JPEG", quality=quality)
            if file.tell() <= _SIZE * 1.1:
                break
        (folder / f"{number}.jpg").write_bytes(file.getvalue())


@contextmanager
def served(wf: Path, project: Path) -> Iterator[tuple[int, int, float]]:
    """Port, process id, and seconds from the start to the first page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen([str(wf), "serve", "--port", str(port)], cwd=project, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as asked:
                    asked.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % port)
                    if asked.recv(100).startswith(b"HTTP/1.1 200"):
                        break
            except OSError:
                time.sleep(0.01)
        yield port, process.pid, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()


def _settle(pid: int) -> None:
    """Wait until a server that has just started knows all pictures of its project, which takes processor time."""
    while True:
        before = _processor_time(pid)
        time.sleep(1)
        if _processor_time(pid) - before < 0.1:
            return


def _processor_time(pid: int) -> float:
    """Seconds, of all threads of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int, *, whole: bool = False) -> float:
    """Megabytes that a process has in memory; with `whole`, it and its children."""
    pids = [str(pid)]
    if whole:  # each thread has its own children
        pids += [one for path in Path("/proc").glob(f"{pid}/task/*/children") for one in path.read_text().split()]
    pages = 0
    for one in pids:
        try:
            pages += int(Path(f"/proc/{one}/statm").read_text().split()[1])
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Watched:
    """The highest memory of a server while something happens."""

    def __init__(self, pid: int) -> None:
        self.pid, self.alone, self.whole = pid, 0.0, 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self.alone = max(self.alone, memory(self.pid))
            self.whole = max(self.whole, memory(self.pid, whole=True))


def ask(port: int, folder: Path, connections: int, seconds: float) -> tuple[float, Counter[int], list[float]]:
    """Requests a second, statuses, and the sorted seconds of the answers with 200."""
    command = [sys.executable, __file__, str(port), str(folder), str(connections), str(seconds)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    good = sorted(took for status, took in told["results"] if status == 200)
    statuses = Counter(status for status, _ in told["results"])
    return len(good) / told["seconds"], statuses, good


def alone(project: Path, folder: Path) -> float:
    """Pictures a second of a loop that decodes and runs the net, 64 at a time, and does nothing else."""
    from workflow import Project
    from workflow.data.pictures import interpret

    net = Project(project).snapshot("live").judging()
    pictures = [path.read_bytes() for path in sorted(folder.iterdir())] * 2
    rates = []
    for _ in range(6):
        began = time.perf_counter()
        net.label([interpret(one, net.preprocessing).pixels for one in pictures])
        rates.append(len(pictures) / (time.perf_counter() - began))
    return statistics.median(rates[1:])


def hostile(folder: Path) -> None:
    """Bombs, and files that are broken or lie."""
    from PIL import Image

    folder.mkdir()

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def png(width: int, height: int, data: bytes, depth: int = 8, colour: int = 2) -> bytes:
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")

    def saved(image: Image.Image, kind: str, **options: object) -> bytes:
        file = io.BytesIO()
        image.save(file, kind, **options)
        return file.getvalue()

    rng = random.Random(1)  # noqa: S311  # a fixed seed
    zeros = zlib.compress(bytes(3 * 3400 * 3400 + 3400), 9)
    large = Image.effect_noise((3400, 3400), 80)
    photo = saved(Image.effect_noise((800, 600), 60).convert("RGB"), "JPEG")
    files = {
        "bomb.png": png(60000, 60000, zlib.compress(bytes(10**7))),
        "deep.png": png(3400, 3400, zlib.compress(bytes(8 * 3400 * 3400 + 3400), 9), depth=16, colour=6),
        "large.png": png(3400, 3400, zeros),
        "lies.png": png(3400, 3400, zlib.compress(bytes(100))),
        "large.webp": saved(large.convert("RGB").resize((3400, 3400)), "WEBP", quality=20, method=0),
        "large.gif": saved(large, "GIF"),
        "progressive.jpg": saved(large, "JPEG", progressive=True, quality=20),
        "baseline.jpg": saved(Image.new("L", (7000, 7000)), "JPEG"),
        "wide.bmp": b"BM"
        + struct.pack("<IHHIIiiHHIIiiII", 70, 0, 0, 54, 40, 2**31 - 1, 2**31 - 1, 1, 24, 0, 0, 0, 0, 0, 0),
        "cut.jpg": photo[: len(photo) // 2],
        "text.jpg": b"<html>" * 1000,
        "zeros.jpg": bytes(10**6),
        "big.bin": rng.randbytes(15 * 2**20),
    }
    files |= {f"broken{number}.jpg": _broken(photo, rng) for number in range(12)}
    for name, data in files.items():
        (folder / name).write_bytes(data)


def _broken(data: bytes, rng: random.Random) -> bytes:
    whole = bytearray(data)
    for _ in range(50):
        whole[rng.randrange(len(whole))] = rng.randrange(256)
    return bytes(whole)


def percentile(values: Sequence[float], share: float) -> float:
    """In milliseconds."""
    return 1000 * values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


Limit = Callable[[str, float, float, str], None]


def bench_serve(wf: Path, project: Path, folder: Path, limit: Limit, least: Limit) -> None:
    """Print the rows; `limit` is for upper bounds, `least` for lower ones."""
    photos, bad = folder / "photos", folder / "hostile"
    make_pictures(photos)
    hostile(bad)
    single = alone(project, photos)
    starts = []
    for _ in range(3):
        with served(wf, project) as (_, _, took):
            starts.append(took)
    limit("start to the first page", statistics.median(starts), 1.5, "s")
    with served(wf, project) as (port, pid, _):
        ask(port, photos, 4, 5)  # warms up
        _settle(pid)
        _, _, good = ask(port, photos, 1, 4)
        limit("judge, one at a time, p50", percentile(good, 0.5), 12, "ms")
        with Watched(pid) as watched:
            rate, statuses, good = ask(port, photos, 32, _SECONDS)
        print(f"judge, 32 connections: {rate:.0f}/s, {dict(statuses)}; decode + forward alone: {single:.0f}/s")
        least("judge, 32 connections", rate, 150, "/s")
        least("judge, as a part of decode + forward", rate / single, 0.7, "x")
        limit("judge, 32 connections, p99", percentile(good, 0.99), 350, "ms")
        limit("judge, memory of the server", watched.alone, 150, "MB")
        print(f"judge, memory with both decoders: {watched.whole:.0f} MB")
        rate, statuses, good = ask(port, photos, 320, _SECONDS)
        odd = sum(count for status, count in statuses.items() if status not in (200, 429, 503))
        print(f"overload, 320 connections: {rate:.0f}/s, {dict(statuses)}")
        limit("overload, other answers", odd, 0, "")
        limit("overload, p99 of those let in", percentile(good, 0.99), 1000, "ms")
        _under_attack(port, pid, photos, bad, limit)


def _under_attack(port: int, pid: int, photos: Path, bad: Path, limit: Limit) -> None:
    """Hostile uploads, 32 at once, while an honest client asks."""
    found: list[tuple[float, Counter[int], list[float]]] = []
    thread = threading.Thread(target=lambda: found.append(ask(port, bad, 32, _SECONDS)))
    with Watched(pid) as watched:
        thread.start()
        time.sleep(0.5)
        _, honest, good = ask(port, photos, 2, _SECONDS - 1)
        thread.join()
    (_, statuses, _) = found[0]
    print(f"hostile, 32 connections: {dict(statuses)}; honest meanwhile: {dict(honest)}")
    limit("hostile, memory of all processes", watched.whole, 512, "MB")
    limit("hostile, answers with 500", statuses[500] + honest[500] + statuses[0] + honest[0], 0, "")
    limit("hostile, p99 of honest pictures", percentile(good, 0.99), 1000, "ms")


if __name__ == "__main__":
    client()

"""How quickly the pages answer in a real browser: labelling by key, the grid of 100,000 pictures, the live curve.

Used by scripts/bench; needs Chromium. Pictures are made here; the project's net is cifar10_quick.
"""

from __future__ import annotations

import hashlib
import io
import math
import re
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browsing import Server, chromium, until  # noqa: E402  # beside the tests, which use it too

QUEUED = 100_000
LARGE = 900  # pictures of their own file of about 200 KB, which are labelled; the others in the queue share a few files
QUEUE = "bench"
SLOW = 120  # keys at one a second
FAST = 600  # keys in a minute

_WATCH = """() => {
  window.pressed = []; window.painted = {};
  const note = (one) => (window.painted[one.identifier] ??= one.renderTime);
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({type: "element", buffered: true});
  document.addEventListener("keydown", (event) => {
    const at = event.timeStamp;
    queueMicrotask(() => window.pressed.push([at, document.getElementById("stage").dataset.sha256]));
  });
}"""


def large_picture(number: int) -> bytes:
    """A JPEG of 1200 x 900 pixels and about 200 KB."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(number)
    coarse = Image.fromarray(rng.integers(0, 256, (45, 60, 3), dtype=np.uint8)).resize((1200, 900))
    noise = rng.normal(0, 9, (900, 1200, 3))
    file = io.BytesIO()
    Image.fromarray((np.asarray(coarse) + noise).clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=82)
    return file.getvalue()


def fill(root: Path) -> None:
    """Put 100,000 pictures into the gallery and into one queue."""
    from workflow.api import Project
    from workflow.inbox import Facts, Inbox, Item

    folder = root / "bench-pictures"
    folder.mkdir()
    sizes = []

    def items() -> Iterator[Item]:
        for number in range(QUEUED):
            if number < LARGE:
                data = large_picture(number)
                sizes.append(len(data))
                sha256 = hashlib.sha256(data).hexdigest()
                (folder / f"{number}.jpg").write_bytes(data)
            else:
                sha256 = hashlib.sha256(b"%d" % number).hexdigest()
            facts = Facts(sha256=sha256, bytes=200_000, format="JPEG", width=1200, height=900)
            path = f"bench-pictures/{number % LARGE}.jpg"
            yield Item(facts=facts, path=path, suggestion=("cat", "other")[number % 2], probability=0.6, reason="bench")

    with Inbox(Project(root).config) as inbox:
        inbox.fill(QUEUE, "Bench", items())
    print(f"{QUEUED:,} pictures are queued; a large one has {statistics.mean(sizes) / 1e3:.0f} KB", flush=True)


def percentile(values: list[float], share: float) -> float:
    """The value below which that share of all lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def label_by_key(page: Any, count: int, seconds: float) -> list[float]:
    """Press a key `count` times at equal distances; from each key to the painting of the next picture, in ms."""
    page.goto(f"/label/{QUEUE}")
    until(lambda: page.evaluate("document.getElementById('stage').dataset.sha256"), 30)
    time.sleep(3)  # the next ten are loaded
    page.evaluate(_WATCH)
    start = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, start + number * seconds / count - time.monotonic()))
        page.keyboard.press("12"[number % 2])
    until(lambda: page.evaluate("document.getElementById('waiting').textContent") == "0", 60)
    took = time.monotonic() - start
    time.sleep(0.5)
    pressed, painted = page.evaluate("[window.pressed, window.painted]")
    if len(pressed) != count:
        raise SystemExit(f"{len(pressed)} of {count} keys were seen")
    late, next_painted = [], math.inf
    for at, sha256 in reversed(
        pressed
    ):  # a picture that the next key replaced before a frame: the one that was painted
        next_painted = min(next_painted, painted.get(sha256, math.inf))
        late.append(next_painted - at)
    skipped = sum(sha256 not in painted for _, sha256 in pressed)
    if skipped:
        print(f"  {skipped} of {count} pictures were replaced before a frame", flush=True)
    print(f"  {count} labels saved {took:.1f} s after the first key", flush=True)
    return late


def bench_keys(page: Any, limit: Callable[..., None]) -> None:
    """One key a second, then ten a second."""
    slow = label_by_key(page, SLOW, SLOW)
    limit("key to next picture, median", statistics.median(slow), 25, "ms")
    limit("key to next picture, p99", percentile(slow, 0.99), 100, "ms")
    fast = label_by_key(page, FAST, 60)
    limit("600 in a minute: key to picture, p99", percentile(fast, 0.99), 200, "ms")


_FIRST = """(() => {
  const look = () => {
    const cell = document.querySelector(".cell");
    if (!cell || cell.dataset.text === "…") return requestAnimationFrame(look);
    return requestAnimationFrame(() => setTimeout(() => (window.firstCells = performance.now())));
  };
  look();
})()"""

_LOADED = "[...document.querySelectorAll('.cell img')].every((image) => image.complete && image.naturalWidth > 0)"

_JUMP = """(number) => new Promise((resolve) => {
  const start = performance.now();
  document.getElementById("place").value = number;
  document.getElementById("jump").requestSubmit();
  const look = () => {
    const cell = document.getElementById(`cell-${number - 1}`);
    if (!cell || cell.dataset.text === "…") return requestAnimationFrame(look);
    return requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
  };
  look();
})"""


def bench_grid(context: Any, limit: Callable[..., None]) -> None:
    """The gallery of all pictures: first paint, nodes, jumps."""
    first = []
    for _ in range(5):
        page = context.new_page()
        page.add_init_script(_FIRST)
        page.goto("/review/all")
        first.append(until(lambda page=page: page.evaluate("window.firstCells ?? null")))
        if len(first) < 5:
            page.close()
    limit("grid of 100,000: first pictures named", statistics.median(first), 500, "ms")
    until(lambda: page.evaluate(_LOADED), 30)
    limit("grid of 100,000: nodes of the page", page.evaluate("document.querySelectorAll('*').length"), 400, "")
    until(lambda: page.evaluate("Number(document.getElementById('place').max)") >= QUEUED)
    jumps = [
        page.evaluate(_JUMP, number)
        for number in (50_000, 99_000, 1, 77_777, 33_333, 12_345, 88_888, 60_000, 5_000, 99_999)
    ]
    limit("grid of 100,000: the slowest of ten jumps", max(jumps), 300, "ms")
    page.close()


class Watch(threading.Thread):
    """Notes when each iteration came to be in a file of metrics."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.path, self.over = path, threading.Event()
        self.seen: list[tuple[float, int]] = []

    def run(self) -> None:
        """Look 50 times a second."""
        while not self.over.wait(0.02):
            with self.path.open("rb") as file:
                file.seek(max(0, self.path.stat().st_size - 1000))
                found = re.findall(rb'"kind": "step", "iteration": (\d+)', file.read())
            if found:
                self.seen.append((time.monotonic(), int(found[-1])))

    def late(self, shown: int) -> float:
        """How many seconds ago the first iteration came that is not shown."""
        newer = next((at for at, iteration in self.seen if iteration > shown), None)
        return 0.0 if newer is None else time.monotonic() - newer


def bench_curve(server: Server, context: Any, limit: Callable[..., None]) -> None:
    """Eight tabs follow a training: how late is each of them, and does one stall?"""
    metrics = server.root / "generations" / "gen1" / "logs" / "metrics.jsonl"
    tabs = [context.new_page() for _ in range(8)]
    for tab in tabs:
        tab.goto("/loop")
    words = "[document.querySelector('#train .plot p')?.textContent ?? '', document.hidden]"
    wish = {"kind": "train", "generation": 1, "max_iter": 100_000}
    job = server.post("/api/jobs", wish)["job"]["id"]
    until(lambda: server.get(f"/api/jobs/{job}")["done"] > 5, 60)
    watch = Watch(metrics)
    watch.start()
    time.sleep(3)
    late = []
    for _ in range(20):
        time.sleep(0.4)
        for tab in tabs:
            text, hidden = tab.evaluate(words)
            if hidden:
                raise SystemExit("a tab is hidden: it would not be late, but asleep")
            late.append(watch.late(int(re.sub(r"\D", "", text.split(":")[0]))))
    watch.over.set()
    limit("live curve in eight tabs: seconds late", max(late), 2, "s")
    server.call("DELETE", f"/api/jobs/{job}")
    until(lambda: server.get(f"/api/jobs/{job}")["state"] != "running", 60)
    for tab in tabs:
        tab.close()


def bench_label(root: Path, limit: Callable[..., None]) -> None:
    """All of it on a project whose generation 1 is trained."""
    fill(root)
    with Server(root) as server, chromium() as browser:
        context = browser.new_context(viewport={"width": 1400, "height": 900}, locale="en", base_url=server.url)
        bench_grid(context, limit)
        bench_curve(server, context, limit)
        bench_keys(context.new_page(), limit)

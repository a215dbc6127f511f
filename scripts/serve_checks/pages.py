#!/usr/bin/env python3
"""Measure an inbox of 100,000 pictures: pages, counts, jumps, and labels while a queue is refilled.

    scripts/serve_check pages [--pictures 100000]

Milliseconds of the store alone, without HTTP; each bar is half of what the page has for it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from _served import digest

from workflow import Project
from workflow.inbox import Decision, Facts, Filters, Inbox, Item

CLASSES = ("cat", "dog")


def items(count: int) -> Iterator[Item]:
    """Pictures of a folder that is not there."""
    for number in range(count):
        yield Item(facts=Facts(sha256=digest(number)), path=f"pile/{number}.jpg", suggestion=CLASSES[number % 2])


def times(work: Callable[[], object], count: int) -> list[float]:
    """Milliseconds of each of several calls, sorted."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        found.append(1000 * (time.perf_counter() - began))
    return sorted(found)


def main() -> int:
    """Measure; 0 if every bar is reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=100_000)
    asked = parser.parse_args()
    failed = 0

    def report(name: str, found: list[float], bar: float) -> None:
        nonlocal failed
        half, most = found[len(found) // 2], found[int(0.99 * len(found))]
        failed += half > bar
        print(f"{name:48} p50 {half:8.2f}  p99 {most:8.2f}  bar {bar:g}{'' if half <= bar else '  MISSED'}", flush=True)

    with tempfile.TemporaryDirectory(prefix="wf-pages-") as folder:
        project = Project.start(Path(folder) / "bot")
        with project.inbox() as inbox:
            began = time.perf_counter()
            inbox.fill("next", "To be labelled", items(asked.pictures))
            print(f"filling a queue with {asked.pictures:,} pictures: {time.perf_counter() - began:.1f} s", flush=True)
            inbox.write(lambda c: c.execute("UPDATE picture SET class = CASE id % 2 WHEN 0 THEN 'cat' ELSE 'dog' END"))
            _pages(inbox, report)
            _labels(inbox, report, asked.pictures)
    return int(failed > 0)


def _pages(inbox: Inbox, report: Callable[[str, list[float], float], None]) -> None:
    after: list[str | None] = [None]

    def following() -> None:
        after[0] = inbox.queue("next", after=after[0], limit=20).next

    report("the next 20 of a queue", times(following, 1000), 1)
    report("counts of all queues", times(inbox.queues, 1000), 1)
    report("where every 100th picture of a queue is", times(lambda: inbox.anchors("next", Filters(), 100), 10), 150)
    for filters in (Filters(), Filters(class_name="cat")):
        name = "the gallery" if filters == Filters() else "the gallery of a class"
        report(f"100 of {name}, and their number", times(lambda chosen=filters: inbox.gallery(chosen), 50), 50)
        report(
            f"where every 100th of {name} is", times(lambda chosen=filters: inbox.anchors(None, chosen, 100), 10), 150
        )


def _labels(inbox: Inbox, report: Callable[[str, list[float], float], None], pictures: int) -> None:
    number = iter(range(pictures))

    def label() -> None:
        one = next(number)
        decision = Decision(key=f"k{one}", sha256=digest(one), kind="label", class_name="cat", seq=0)
        (answer,) = inbox.label([decision])
        if answer.status != "saved":
            raise RuntimeError(answer)

    report("a label, on the disk", times(label, 500), 12)
    filling = threading.Thread(target=inbox.fill, args=("next", "Again", items(pictures)))
    filling.start()
    found: list[float] = []
    while filling.is_alive():
        found += times(label, 1)
    report("a label while the queue is refilled", sorted(found), 50)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Kill a server that takes labels, again and again, and count acknowledged labels that are lost or there twice.

    scripts/serve_check kill [--kills 200] [--labels 50000]

Four clients label as the page does: an entry stays in the outbox until it is acknowledged, and is sent again after each
failure with the same key. The server gets SIGKILL at random moments. At the end every key that was acknowledged must be
an event, with its class, once, and the decision in force for each picture must be the one of its last event.
"""

from __future__ import annotations

import argparse
import http.client
import random
import sqlite3
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _served import Client, Server, digest, free_port, make_project, table

CLASSES = ("character", "other")
CLIENTS = 4
PICTURES = 4000


@dataclass
class Labeller:
    """One client: it decides about pictures of its own, over and over."""

    number: int
    port: int
    wanted: int
    acknowledged: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """Key -> sha256 and class."""
    sent_again: int = 0
    known: int = 0
    """Entries that were on the disk without an acknowledgement."""
    wrong: list[str] = field(default_factory=list)
    entered: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Label until enough is acknowledged."""
        client, chance = Client(self.port), random.Random(self.number)  # noqa: S311  # no secret
        now: dict[str, str | None] = {}
        outbox: list[dict[str, Any]] = []
        while len(self.acknowledged) < self.wanted and not self.stop.is_set():
            if not outbox:
                outbox = [self._entry(chance, now) for _ in range(chance.randint(1, 10))]
            try:
                status, answer = client.ask("POST", "/api/labels", outbox)
            except (OSError, http.client.HTTPException, ValueError):
                self.sent_again += 1
                time.sleep(0.02)
                continue
            if status != 200:
                self.wrong.append(f"status {status}: {answer}")
                time.sleep(0.1)
                continue
            for entry, result in zip(outbox, answer["results"], strict=True):
                if result["status"] == "conflict":
                    self.wrong.append(f"{entry}: {result['message']}")
                self.known += result["status"] == "known"
                self.acknowledged[entry["key"]] = entry["sha256"], entry["class"]
            outbox = []

    def _entry(self, chance: random.Random, now: dict[str, str | None]) -> dict[str, Any]:
        self.entered += 1
        sha256 = digest(chance.randrange(self.number, PICTURES, CLIENTS))
        was = now.get(sha256)
        wanted = chance.choice([*CLASSES, None])
        now[sha256] = wanted
        kind = "remove" if wanted is None else "label"
        key = f"{self.number}.{self.entered}"
        return {"key": key, "sha256": sha256, "kind": kind, "class": wanted, "was": was, "queue": "next"}


def check(database: Path, labellers: list[Labeller]) -> dict[str, int]:
    """What is wrong in the database, without any of the server's code."""
    with closing(sqlite3.connect(database)) as c:
        (sound,) = c.execute("PRAGMA integrity_check").fetchone()
        rows = c.execute("SELECT e.key, p.sha256, e.class FROM event e JOIN picture p ON p.id = e.picture").fetchall()
        stale = c.execute(
            "SELECT count(*) FROM state s JOIN (SELECT picture, max(seq) AS seq FROM event GROUP BY picture) e "
            "USING (picture) JOIN event l ON l.seq = e.seq WHERE s.seq <> e.seq OR s.class IS NOT l.class"
        ).fetchone()[0]
        (left, open_) = c.execute(
            "SELECT f.left, (SELECT count(*) FROM queue_item WHERE filling = f.id AND done IS NULL) "
            "FROM queue q JOIN filling f ON f.id = q.filling WHERE q.name = 'next'"
        ).fetchone()
    stored = {key: (sha256, class_name) for key, sha256, class_name in rows}
    wanted = {key: facts for one in labellers for key, facts in one.acknowledged.items()}
    return {
        "acknowledged labels lost": sum(stored.get(key) != facts for key, facts in wanted.items()),
        "events entered twice": len(rows) - len(stored),
        "events that were never sent": len(stored.keys() - wanted.keys()),
        "decisions that do not follow from the events": stale,
        "wrong counts of queues": int(left != open_),
        "damage": int(sound != "ok"),
        "conflicts and refusals": sum(len(one.wrong) for one in labellers),
    }


def main() -> int:
    """Run the check; 0 if nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--labels", type=int, default=50_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wf-kill-") as folder:
        root, port, began = Path(folder) / "bot", free_port(), time.monotonic()
        make_project(root, PICTURES)
        labellers = [Labeller(number, port, asked.labels // CLIENTS) for number in range(CLIENTS)]
        threads = [threading.Thread(target=one.run) for one in labellers]
        for thread in threads:
            thread.start()
        chance = random.Random(1)  # noqa: S311
        kills, each = 0, asked.labels / (asked.kills + 1)
        while any(thread.is_alive() for thread in threads):
            server = Server(root, port)
            if kills == asked.kills:
                for thread in threads:
                    thread.join()
                server.end()
                break
            goal = min(asked.labels, (kills + 1) * each)
            while sum(len(one.acknowledged) for one in labellers) < goal:
                time.sleep(0.002)
            time.sleep(chance.random() * 0.05)
            server.kill()
            kills += 1
            if kills % 20 == 0:
                print(f"{kills} kills, {sum(len(one.acknowledged) for one in labellers):,} labels", flush=True)
        found = check(root / "inbox" / "inbox.sqlite", labellers)
        for one in labellers:
            one.stop.set()
            print(*one.wrong[:3], sep="\n", end="\n" if one.wrong else "")
    table(
        [
            ("kills", kills),
            ("labels acknowledged", sum(len(one.acknowledged) for one in labellers)),
            ("requests that failed and were sent again", sum(one.sent_again for one in labellers)),
            ("entries on the disk before they were acknowledged", sum(one.known for one in labellers)),
            *found.items(),
            ("seconds", round(time.monotonic() - began)),
        ]
    )
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())

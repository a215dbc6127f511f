#!/usr/bin/env python3
"""Let people, a bot and commands work on one project at once, and count what is lost.

    scripts/serve_check together --cifar DIR [--seconds 300]

DIR holds train/CLASS and test/CLASS (scripts/get_cifar10 makes it): cats against the rest. Two people label the same
queue and the same gallery, each with a session of their own, and sometimes take a label back; a bot sends pictures and
reports; the owner takes labels over; `wf suspects --apply`, `wf prepare` and `wf inbox list` run again and again. All
of them send again what was not acknowledged. At the end every acknowledged label, undo, report, picture and patch must
be there, once; a last take-over and preparation must give every picture that was sent its label; no command may fail,
and no message may say that something is locked.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import http.client
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from _served import Client, Server, free_port, table

CLASSES = ("cat", "other")
TRAIN, TEST = 600, 100  # pictures of each class
PEOPLE = ("ann", "ben")
ROLES = {"mastodon": "bot"} | dict.fromkeys(PEOPLE, "labeller")


def wf(root: Path, *arguments: str) -> Any:
    """Run a command; its JSON.

    Raises:
        RuntimeError: it failed, or spoke of a lock.
    """
    command = [sys.executable, "-m", "workflow", *arguments, "--json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode or "locked" in done.stderr:
        raise RuntimeError(f"wf {' '.join(arguments)}: {done.stderr[-500:]}")
    return json.loads(done.stdout)


def make_project(root: Path, cifar: Path) -> Iterator[Path]:
    """A trained project of cats and other animals; the pictures that are left, in random order."""
    chance = random.Random(1)  # noqa: S311  # no secret
    rest: list[Path] = []
    for split, count in (("train", TRAIN), ("test", TEST)):
        found: dict[str, list[Path]] = {one: [] for one in CLASSES}
        for path in sorted((cifar / split).glob("*/*.jpg")):
            found[CLASSES[path.parent.name != "cat"]].append(path)
        for name, paths in found.items():
            chance.shuffle(paths)
            folder = root / "images" / split / name
            folder.mkdir(parents=True)
            for number, path in enumerate(paths[:count]):
                shutil.copy(path, folder / f"{number}.jpg")
            rest += paths[count : count + 5000]
    wf(root, "prepare")
    wf(root, "train", "--max-iter", "20")
    chance.shuffle(rest)
    return iter(rest)


class Work:
    """Somebody who works until the time is over; what was acknowledged is remembered.

    Args:
        name: for the table.
        turn: one piece of work.
        over: set when the time is over.
    """

    def __init__(self, name: str, turn: Callable[[], None], over: threading.Event) -> None:
        self.name, self._turn, self._over = name, turn, over
        self.turns = 0
        self.troubles: list[str] = []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._turn()
            except Exception as error:  # counted
                self.troubles.append(f"{self.name}: {error!r}")
                time.sleep(0.5)
            self.turns += 1


class Caller:
    """A client that asks again until it has an answer, and counts how often."""

    def __init__(self, port: int, token: str | None = None) -> None:
        self._client = Client(port, timeout=60, token=token)
        self.again: Counter[int] = Counter()

    def ask(self, method: str, path: str, document: object = None) -> Any:
        """The document of an answer with 200.

        Raises:
            RuntimeError: another answer, which asking again would not change.
        """
        while True:
            try:
                status, answer = self._client.ask(method, path, document)
            except (OSError, http.client.HTTPException):
                status, answer = 0, None
            if status == 200:
                return answer
            if status not in (0, 429, 503):
                raise RuntimeError(f"{method} {path}: {status} {answer}")
            self.again[status] += 1
            time.sleep(0.2)


class Labeller(Caller):
    """A person who labels what is sent and what is in the gallery."""

    def __init__(self, port: int, token: str, name: str, mine: list[str]) -> None:
        super().__init__(port, token)
        self.name, self._mine = name, mine
        self._chance = random.Random(name)  # noqa: S311
        self._count = 0
        self.saved: dict[str, tuple[str, str]] = {}
        """Key -> sha256 and class."""
        self.undone: set[str] = set()
        self.conflicts = 0

    def turn(self) -> None:
        """Label some pictures, and take one label back now and then."""
        entries = []
        for one in self.ask("GET", "/api/queues/sent?limit=30")["items"][:10]:
            entries.append(self._entry(one["sha256"], one["class"], "sent"))
        for sha256 in self._chance.sample(self._mine, 3):
            entries.append(self._entry(sha256, self.ask("GET", f"/api/pictures/{sha256}")["label"], None))
        for entry, result in zip(entries, self.ask("POST", "/api/labels", entries)["results"], strict=True):
            if result["status"] == "conflict":
                self.conflicts += 1
            else:
                self.saved[entry["key"]] = entry["sha256"], entry["class"]
        if self.saved and self._chance.random() < 0.2:
            key = self._chance.choice(list(self.saved))
            self.ask("POST", "/api/undo", {"key": key})
            self.undone.add(key)
        time.sleep(self._chance.random() * 0.3)

    def _entry(self, sha256: str, was: str | None, queue: str | None) -> dict[str, Any]:
        self._count += 1
        wanted = self._chance.choice(CLASSES)
        key = f"{self.name}.{self._count}"
        return {"key": key, "sha256": sha256, "kind": "label", "class": wanted, "was": was, "queue": queue}


class Bot(Caller):
    """A bot that sends pictures of strangers and passes on what they say."""

    def __init__(self, port: int, token: str, pictures: Iterator[Path]) -> None:
        super().__init__(port, token)
        self._pictures = pictures
        self.sent: list[tuple[str, str]] = []
        """sha256 and ref."""
        self.reported: list[tuple[str, str]] = []
        """sha256 and note."""

    def turn(self) -> None:
        """Send a picture, and report every third."""
        data, number = next(self._pictures).read_bytes(), len(self.sent)
        answer = self.ask("POST", f"/api/judge?ref=post{number}", data)
        if answer["sha256"] != hashlib.sha256(data).hexdigest():
            raise RuntimeError(f"the answer is about another picture: {answer}")
        self.sent.append((answer["sha256"], f"post{number}"))
        if number % 3 == 0:
            report = {"class": CLASSES[number % 2], "note": f"note {number}"}
            self.ask("POST", f"/api/pictures/{answer['sha256']}/report", report)
            self.reported.append((answer["sha256"], report["note"]))
        time.sleep(0.05)


class Corrector:
    """Applies tables of decisions about pictures of its own."""

    def __init__(self, root: Path, pictures: list[tuple[str, str]]) -> None:
        self._root, self._pictures = root, pictures
        self.patches: dict[int, set[str]] = {}
        """Number -> sha256 of every line."""

    def turn(self) -> None:
        """Apply a table of three decisions, each about a label of its own so that each is new."""
        number = len(self.patches)
        rows = []
        for place in range(3 * number, 3 * number + 3):
            sha256, label = self._pictures[place % len(self._pictures)]
            other = CLASSES[label == CLASSES[0]]
            lap = place // len(self._pictures)  # the first time round they relabel, then they only say something new
            rows.append(
                [
                    f"{place}",
                    sha256,
                    label if lap == 0 else f"{label}.{lap}",
                    other,
                    "0.9",
                    "",
                    "accept" if lap == 0 else "refuse",
                ]
            )
        path = self._root / "suspects.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([["path", "sha256", "label", "suggested", "score", "why", "decision"], *rows])
        patch = Path(wf(self._root, "suspects", "--apply", str(path))["patch"])
        self.patches[int(patch.stem)] = {row[1] for row in rows}


def check(root: Path, people: list[Labeller], bot: Bot, corrector: Corrector, taken: list[int]) -> dict[str, int]:
    """What is lost or there twice, without any of the server's code."""
    with closing(sqlite3.connect(root / "inbox" / "inbox.sqlite")) as c:
        (sound,) = c.execute("PRAGMA integrity_check").fetchone()
        events = c.execute(
            "SELECT e.key, p.sha256, e.class FROM event e JOIN picture p ON p.id = e.picture WHERE undoes IS NULL"
        ).fetchall()
        undone = [key for (key,) in c.execute("SELECT e.key FROM event u JOIN event e ON e.seq = u.undoes")]
        sent = Counter(
            c.execute("SELECT p.sha256, s.ref FROM submission s JOIN picture p ON p.id = s.picture").fetchall()
        )
        reports = Counter(
            c.execute("SELECT p.sha256, r.note FROM report r JOIN picture p ON p.id = r.picture").fetchall()
        )
        files = c.execute("SELECT sha256, path FROM picture WHERE origin = 'sent'").fetchall()
        stale = c.execute(
            "SELECT count(*) FROM queue_item i JOIN state s USING (picture) WHERE i.filling = 1 AND i.done IS NULL "
            "AND s.kind = 'label'"
        ).fetchone()[0]
        labelled = dict(
            c.execute(
                "SELECT p.sha256, s.class FROM picture p JOIN state s ON s.picture = p.id "
                "WHERE p.origin = 'sent' AND s.kind = 'label'"
            )
        )
    stored = {key: (sha256, class_name) for key, sha256, class_name in events}
    wanted = {key: facts for one in people for key, facts in one.saved.items()}
    gone = {key for one in people for key in one.undone}
    patches = {int(path.stem): path.read_text().splitlines() for path in (root / "corrections").glob("*.jsonl")}
    numbers = [*corrector.patches, *taken]
    prepared = {one["sha256"]: one["class"] for one in map(json.loads, manifest(root))}
    return {
        "labels lost": sum(stored.get(key) != facts for key, facts in wanted.items()),
        "labels that were never acknowledged": len(stored.keys() - wanted.keys()),
        "labels entered twice": len(events) - len(stored),
        "undos lost": len(gone - set(undone)),
        "undos entered twice": len(undone) - len(set(undone)),
        "labelled pictures that a queue still shows": stale,
        "pictures lost": sum(one not in sent for one in bot.sent),
        "pictures entered twice": sum(sent.values()) - len(bot.sent),
        "files lost or changed": sum(
            hashlib.sha256((root / path).read_bytes()).hexdigest() != sha for sha, path in files
        ),
        "reports lost": sum(one not in reports for one in bot.reported),
        "reports entered twice": sum(reports.values()) - len(bot.reported),
        "patches lost": len(set(numbers) - patches.keys()),
        "patch numbers given twice": len(numbers) - len(set(numbers)),
        "patches with lines lost": sum(
            {json.loads(line)["sha256"] for line in patches.get(number, ())} != lines
            for number, lines in corrector.patches.items()
        ),
        "labels that the last preparation does not have": sum(
            prepared.get(sha256) != class_name for sha256, class_name in labelled.items()
        ),
        "damage": int(sound != "ok"),
    }


def manifest(root: Path) -> list[str]:
    """The lines of the last preparation's manifest."""
    return (root / "generations" / "gen2" / "dataset" / "images.jsonl").read_text().splitlines()


def main() -> int:
    """Run the check; 0 if nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cifar", type=Path, required=True, help="folder with train/CLASS and test/CLASS")
    parser.add_argument("--seconds", type=float, default=300)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wf-together-") as folder:
        root, port = Path(folder) / "bot", free_port()
        wf(Path(folder), "init", str(root))
        pictures = make_project(root, asked.cifar.resolve())
        tokens = {
            name: wf(root, "inbox", "tokens", "add", name, "--role", role)["token"] for name, role in ROLES.items()
        }
        server = Server(root, port)
        owner = Caller(port)
        own = known(owner)
        half = len(own) // 2  # people label one half, tables the other
        people = [Labeller(port, tokens[name], name, [sha for sha, _ in own[:half]]) for name in PEOPLE]
        bot = Bot(port, tokens["mastodon"], pictures)
        corrector = Corrector(root, own[half:])
        taken: list[int] = []

        def take_over() -> None:
            done = owner.ask("POST", "/api/takeover")
            if done["conflicts"]:
                raise RuntimeError(str(done["conflicts"])[:300])
            taken.extend([] if done["patch"] is None else [done["patch"]])
            time.sleep(2)

        over, began = threading.Event(), time.monotonic()
        workers = [
            *(Work(one.name, one.turn, over) for one in people),
            Work("mastodon", bot.turn, over),
            Work("take-over", take_over, over),
            Work("suspects --apply", corrector.turn, over),
            Work("prepare", lambda: wf(root, "prepare", "--force", "--gen", "2"), over),
            Work("inbox list", lambda: wf(root, "inbox", "list"), over),
        ]
        over.wait(asked.seconds)
        over.set()
        for one in workers:
            one.thread.join()
        take_over()
        wf(root, "prepare", "--force", "--gen", "2")
        seconds = round(time.monotonic() - began)
        said = server.end()
        found = check(root, people, bot, corrector, taken)
        troubles = [trouble for one in workers for trouble in one.troubles]
        found["messages about a lock"] = sum("locked" in one for one in [said, *troubles])
        found["other troubles"] = len(troubles) + bool(said)
    again = sum((one.again for one in [*people, bot, owner]), Counter())
    table(
        [
            ("seconds", seconds),
            ("labels acknowledged", sum(len(one.saved) for one in people)),
            ("  of which taken back", sum(len(one.undone) for one in people)),
            ("  refused because the other was first", sum(one.conflicts for one in people)),
            ("pictures sent", len(bot.sent)),
            ("reports", len(bot.reported)),
            ("patches by take-overs", len(taken)),
            *((f"turns of {one.name}", one.turns) for one in workers[4:]),
            ("requests that were sent again", str(dict(again))),
            *found.items(),
        ]
    )
    print(*troubles[:5], said[-2000:], sep="\n")
    return int(any(found.values()))


def known(owner: Caller) -> list[tuple[str, str]]:
    """sha256 and class of every picture of the generation, once the server has read its manifest."""
    while True:
        found: list[tuple[str, str]] = []
        after = ""
        while True:
            page = owner.ask("GET", f"/api/gallery?limit=100{after}")
            found += [(one["sha256"], one["class"]) for one in page["items"]]
            if page["next"] is None:
                break
            after = f"&after={page['next']}"
        if len(found) == len(CLASSES) * (TRAIN + TEST):
            return found
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Let a server, commands and preparations write corrections at once, and count patches that are lost.

    scripts/serve_check writers [--patches 1000]

The server labels pictures and takes them over, one patch each; two processes apply tables of decisions as `wf suspects
--apply` does; a fourth prepares generation after generation; a fifth adds and revokes tokens as `wf inbox` does. Every
patch that was acknowledged must be there with its lines, under a number of its own, and no message may say that
something is locked.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from _served import Client, Server, free_port, table

from workflow import Project
from workflow.demo.drawing import draw
from workflow.inbox import Filters

PICTURES = 200  # drawn; each gets decisions again and again
CLASSES = ("character", "other")


def apply_tables(root: Path, name: str, count: int) -> list[int]:
    """Apply tables of one decision each; the numbers of the patches."""
    code = """
import csv, json, sys
from pathlib import Path
from workflow import Project
from workflow.inbox import Filters
project = Project(sys.argv[1])
name, count = sys.argv[2], int(sys.argv[3])
with project.inbox() as inbox:
    pictures = [one["sha256"] for one in inbox.gallery(Filters()).items]
numbers = []
for turn in range(count):
    table = Path(sys.argv[1]) / f"{name}.csv"
    label = ("character", "other")[turn % 2]
    row = [f"x/{name}.{turn}", pictures[turn % len(pictures)], f"{name}.{turn}", label, "0.9", "", "refuse"]
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([["path", "sha256", "label", "suggested", "score", "why", "decision"], row])
    numbers.append(project.apply_suspects(table).found.patch.number)
print(json.dumps(numbers))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, root, name, str(count)], capture_output=True, text=True, check=False
    )
    if done.returncode or "locked" in done.stderr:
        raise RuntimeError(done.stderr)
    return list(json.loads(done.stdout))


def take_over(port: int, pictures: list[tuple[str, str]], count: int) -> list[int]:
    """Label a picture and take that over, again and again; the numbers of the patches."""
    client, numbers = Client(port, timeout=60), []
    now = dict(pictures)
    for turn in range(count):
        sha256, _ = pictures[turn % len(pictures)]
        wanted = CLASSES[now[sha256] == CLASSES[0]]
        entry = {"key": f"w.{turn}", "sha256": sha256, "kind": "label", "class": wanted, "was": now[sha256]}
        status, answer = client.ask("POST", "/api/labels", [entry])
        if status != 200 or answer["results"][0]["status"] != "saved":
            raise RuntimeError(f"{status} {answer}")
        now[sha256] = wanted
        status, answer = client.ask("POST", "/api/takeover")
        if status != 200 or answer["patch"] is None or answer["conflicts"]:
            raise RuntimeError(f"{status} {answer}")
        numbers.append(answer["patch"])
    return numbers


def disturb(root: Path, over: threading.Event, what: str, troubles: list[str]) -> int:
    """Prepare, or make and revoke tokens, until the others are done; how often."""
    count = 0
    while not over.is_set():
        arguments = {
            "prepare": ["prepare", "--force", "--gen", "2", "--quiet"],
            "tokens": ["inbox", "tokens", "add", f"bot {count}", "--quiet"],
        }[what]
        command = [sys.executable, "-m", "workflow", *arguments]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode or "locked" in done.stderr:
            troubles.append(done.stderr[-500:])
        count += 1
    return count


def main() -> int:
    """Run the check; 0 if no patch was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patches", type=int, default=1000)
    asked = parser.parse_args()
    shares = [asked.patches - 2 * (asked.patches // 3), asked.patches // 3, asked.patches // 3]
    with tempfile.TemporaryDirectory(prefix="wf-writers-") as folder:
        root, port, began = Path(folder) / "bot", free_port(), time.monotonic()
        project = Project.start(root)
        draw(root / "images", count=PICTURES)
        project.prepare()
        with project.inbox() as inbox:
            inbox.learn()
            pictures = [(one["sha256"], one["class"]) for one in inbox.gallery(Filters()).items]
        server = Server(root, port)
        numbers: dict[str, list[int]] = {}
        troubles: list[str] = []
        turns: dict[str, int] = {}
        over = threading.Event()

        def run(name: str, work: object, *arguments: object) -> None:
            try:
                numbers[name] = work(*arguments)  # type: ignore[operator]
            except Exception as error:  # counted
                troubles.append(f"{name}: {error}")

        def again(what: str) -> None:
            turns[what] = disturb(root, over, what, troubles)

        writers = [
            threading.Thread(target=run, args=("server", take_over, port, pictures, shares[0])),
            *(
                threading.Thread(target=run, args=(f"table{number}", apply_tables, root, f"table{number}", share))
                for number, share in enumerate(shares[1:])
            ),
        ]
        others = [threading.Thread(target=again, args=(what,)) for what in ("prepare", "tokens")]
        for thread in [*writers, *others]:
            thread.start()
        for thread in writers:
            thread.join()
        over.set()
        for thread in others:
            thread.join()
        said = server.end()
        given = [number for each in numbers.values() for number in each]
        files = {int(path.stem): path for path in (root / "corrections").glob("*.jsonl")}
        lines = [json.loads(line) for path in files.values() for line in path.read_text().splitlines()]
        found = {
            "patches lost": len(set(given) - files.keys()),
            "numbers given twice": len(given) - len(set(given)),
            "patches that were not acknowledged": len(files.keys() - set(given)),
            "lines lost": len(given) - len(lines),
            "messages about a lock": sum("locked" in one for one in [said, *troubles]),
            "other troubles": len(troubles),
        }
    table(
        [
            ("patches acknowledged", len(given)),
            *((f"  by {name}", len(each)) for name, each in sorted(numbers.items())),
            *((f"runs of {name} meanwhile", count) for name, count in turns.items()),
            *found.items(),
            ("seconds", round(time.monotonic() - began)),
        ]
    )
    print(*troubles[:5], sep="\n")
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())

"""Kill what works for wf predict --cluster local, at random moments: the labels must be the same bytes as undisturbed.

    scripts/cluster_check deaths [--files 20000] [--pictures FOLDER] [--kills 20] [--seed 1]

Workers, Ray's and ours, are killed while the command runs, from its start on: it must end well. What gives out the work
is killed once each: the command itself, Ray's raylet and head, and the process that speaks with Ray; the command must
end within 30 s, with exit code 6 and one sentence, and give the same bytes when it is run again. So must Ctrl-C.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from _pictures import WF, pile, project

WORK = Path("/tmp/wf-cluster-check")  # noqa: S108
PATIENCE = 30.0  # seconds
WORKERS = (b"ray::Seat", b"ray::IDLE", b"workflow.cluster.worker")
ONCE = {
    "the command": (signal.SIGKILL, None, -signal.SIGKILL),
    "Ctrl-C": (signal.SIGINT, None, 130),
    "raylet": (signal.SIGKILL, b"raylet/raylet", 6),
    "head": (signal.SIGKILL, b"gcs/gcs_server", 6),
    "speaker": (signal.SIGKILL, b"workflow.cluster.ray", 6),
}


class Labelling:
    """One run of the command."""

    def __init__(self, pictures: Path) -> None:
        self.labels = WORK / "labels.csv"
        self.labels.unlink(missing_ok=True)
        self.said = (WORK / "said").open("w+")
        words = [WF, "predict", pictures, "--cluster", "local", "--csv", self.labels, "-q"]
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            words, cwd=WORK / "project", stdout=subprocess.DEVNULL, stderr=self.said, preexec_fn=_hear
        )

    def below(self, *commands: bytes) -> list[int]:
        """The processes that it has started, and those of Ray, whose command line holds one of some words."""
        speakers = {pid for pid, parent, _ in _processes() if parent == self.process.pid}
        return [pid for pid, _, line in _processes() if _session(pid) in speakers and any(w in line for w in commands)]

    def wait_for(self, parts: int) -> int:
        """Wait until it has results of some parts; how many there are then."""
        there = 0
        while there < parts and self.process.poll() is None:
            time.sleep(0.05)
            there = len(list((WORK / "project/.cluster").glob("*/part-*")))
        return there

    def result(self, patience: float) -> str:
        """The exit code and a digest of the labels, or that it hangs."""
        with suppress(subprocess.TimeoutExpired):
            code = self.process.wait(patience)
            data = self.labels.read_bytes() if self.labels.exists() else b""
            return f"{code} {hashlib.sha256(data).hexdigest()[:16] if data else '-'}"
        self.process.kill()
        return "hangs"


def main() -> int:
    """0 if all promises hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    project(WORK / "project")
    pictures, generator = pile(WORK / f"pile-{asked.files}", asked.files, asked.pictures), random.Random(asked.seed)  # noqa: S311
    whole = Labelling(pictures)
    right, took = whole.result(3600), time.monotonic() - whole.began
    print(f"undisturbed: {took:.1f} s, {right}", flush=True)
    if not right.startswith("0 "):
        raise SystemExit("the command does not work undisturbed")
    good = True

    def say(what: str, found: str, wanted: tuple[str, ...], seconds: float) -> None:
        nonlocal good
        good = good and found in wanted
        print(f"{what}: {found}{'' if found in wanted else f', expected {wanted}'}, {seconds:.1f} s", flush=True)

    run = Labelling(pictures)
    killed = _kill_workers(run, asked.kills, took / asked.kills, generator)
    ended = time.monotonic()
    found = run.result(took + 90)
    say(f"{killed} workers killed", found, (right,), time.monotonic() - ended)
    for name, (number, command, code) in ONCE.items():
        run = Labelling(pictures)
        parts = run.wait_for(generator.randint(1, asked.files // 700))  # of some that has 500 in each
        victims = [run.process.pid] if command is None else run.below(command)
        os.kill(victims[0], number)
        at = time.monotonic()
        done = (right,) if name in ("head", "raylet") else ()  # the rest may be done before anybody notices
        found = run.result(PATIENCE)
        say(f"{name} ends after {parts} parts", found, (f"{code} -", *done), time.monotonic() - at)
        run.said.seek(0)
        print("  " + run.said.read().strip().replace("\n", "\n  "))
        again = Labelling(pictures)
        say("  run again", again.result(took + 90), (right,), time.monotonic() - again.began)
    left = [line[:80] for _, parent, line in _processes() if parent == 1 and (b"ray::" in line or b"/ray/" in line)]
    print(f"{len(left)} processes are left over")
    return 0 if good and not left else 1


def _kill_workers(run: Labelling, kills: int, pause: float, generator: random.Random) -> int:
    """How many were killed until there were enough, or it had ended."""
    killed = 0
    while killed < kills and run.process.poll() is None:
        time.sleep(generator.uniform(0, 2 * pause))
        if found := run.below(*WORKERS):
            with suppress(ProcessLookupError):
                os.kill(generator.choice(found), signal.SIGKILL)
                killed += 1
    return killed


def _processes() -> list[tuple[int, int, bytes]]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            found.append((int(path.name), parent, (path / "cmdline").read_bytes()))
    return found


def _session(pid: int) -> int:
    with suppress(ProcessLookupError):
        return os.getsid(pid)
    return -1


def _hear() -> Callable[..., object] | None:
    """Let it hear Ctrl-C, which programs in the background do not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return None


if __name__ == "__main__":
    sys.exit(main())

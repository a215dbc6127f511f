#!/usr/bin/env python3
"""Let every system call of one label fail, or be the last of its process; nothing acknowledged may be lost.

    scripts/serve_check syscalls [--fault KILL|EIO|ENOSPC ...] [--work label|submit|takeover ...] [--every N]

A process opens an inbox and then does one piece of work, while strace (attached in between) injects one fault at one
call: SIGKILL after it, or an error in its place. It says on stdout whether the work was acknowledged. Where it lives
on, it does the same work once more, which must now be known or saved. Then another process opens the inbox: what was
acknowledged must be there, once and whole, the database sound, and the same work sent again must end well. There is a
run for each call that the work makes, in turn: the first openat, the second openat, … the last fdatasync.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

from _served import digest, make_project, table

from workflow.inbox import Inbox, Submission

WORK = ("label", "submit", "takeover")
FAULTS = {"KILL": "signal=KILL", "EIO": "error=EIO", "ENOSPC": "error=ENOSPC"}
CALLS = (
    "openat,read,pread64,write,pwrite64,pwritev,fsync,fdatasync,ftruncate,fallocate,link,linkat,unlink,unlinkat,"
    "rename,renameat,renameat2,mkdir,mkdirat,chmod,fchmod,newfstatat,fstat,statx,access,getdents64,fcntl,flock,lseek,mmap"
)
"""Calls that touch files; an error in place of another one, such as futex, is not the disk's."""


def worker(root: Path, work: str, number: int) -> None:
    """The process that is harmed: on a socket, whose calls are not harmed, it is started and reports the outcome."""
    from workflow import Project
    from workflow.errors import WorkflowError
    from workflow.inbox import Decision
    from workflow.inbox import takeover as _  # noqa: F401  # loaded before the faults begin

    line = socket.socket(fileno=number)
    inbox = Inbox(Project(root).config)
    inbox.queues()
    inbox.classes()

    def once() -> str:
        try:
            if work == "label":
                decision = Decision(key="k", sha256=digest(1), kind="label", class_name="other", queue="next")
                return inbox.label([decision])[0].status
            if work == "submit":
                send(inbox)
                return "saved"
            return "conflict" if inbox.takeover().conflicts else "saved"
        except (WorkflowError, OSError) as error:  # what a caller gets
            return f"refused: {type(error).__name__} {getattr(error, 'message', error)}"

    line.send(b"ready")
    while line.recv(10):
        line.send(once().encode())
    os._exit(0)


def send(inbox: Inbox) -> None:
    """Submit the picture."""
    submission = Submission(width=1, height=1, token=1, probabilities={"other": 1.0})
    inbox.enter(inbox.keep(PICTURE, "JPEG"), submission).result()


PICTURE = b"\xff\xd8\xff" + b"a picture, as far as the inbox is concerned" * 100


def injected(root: Path, work: str, inject: str, log: Path) -> tuple[list[str], bool]:
    """Do the work with a fault as strace has it; what the process said, and whether the fault came."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, __file__, "--worker", str(root), work, str(theirs.fileno())]
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=subprocess.DEVNULL)
    theirs.close()
    ours.settimeout(60)
    ours.recv(10)
    command = ["strace", "-f", "-p", str(process.pid), "-e", f"trace={CALLS}", "-o", str(log)]
    command += ["-e", inject] if inject else []
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while "attached" not in (line := tracer.stderr.readline() if tracer.stderr else ""):
        if not line:
            raise RuntimeError("strace cannot attach: is it installed, and ptrace allowed?")
    time.sleep(0.02)  # threads are attached one after the other
    said = []
    for attempt in range(2):
        with suppress(OSError):
            ours.send(b"go")
            said.append(ours.recv(1000).decode())
        if attempt == 0:
            _detach(tracer)
    ours.close()
    process.kill()
    process.wait()
    text = log.read_text(errors="replace")
    return [one for one in said if one], "(INJECTED)" in text or "killed by SIGKILL" in text


def _detach(tracer: subprocess.Popen[str]) -> None:
    """End strace, which hangs if a traced thread died."""
    tracer.send_signal(signal.SIGINT)
    try:
        tracer.communicate(timeout=2)
    except subprocess.TimeoutExpired:
        tracer.kill()
        tracer.communicate()


def wrong(root: Path, work: str, said: list[str], fault: str) -> str | None:
    """What is wrong afterwards; None if nothing is."""
    from workflow import Project
    from workflow.inbox import Decision

    with closing(sqlite3.connect(root / "inbox" / "inbox.sqlite")) as c:
        if c.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            return "the database is damaged"
    acknowledged = bool(said) and said[0] in ("saved", "known")
    if fault != "KILL" and (len(said) < 2 or said[1] not in ("saved", "known")):
        return f"the process did not recover: {said}"
    with Inbox(Project(root).config) as inbox:
        if work == "label":
            there = inbox.read(lambda c: c.execute("SELECT count(*) FROM event WHERE key = 'k'").fetchone()[0])
            if there != 1 and (acknowledged or fault != "KILL"):
                return f"{there} events of an acknowledged label"
            decision = Decision(key="k", sha256=digest(1), kind="label", class_name="other", queue="next")
            (answer,) = inbox.label([decision])
            if answer.status != ("known" if there else "saved"):
                return f"the same label again: {answer}"
            if inbox.picture(digest(1))["label"] != "other":
                return "the decision in force is another one"
            return None
        if work == "submit":
            import hashlib

            sha256 = hashlib.sha256(PICTURE).hexdigest()
            if acknowledged and inbox.path(sha256).read_bytes() != PICTURE:
                return "the bytes of an acknowledged picture are others"
            inbox.sweep()
            send(inbox)
            return None if inbox.path(sha256).read_bytes() == PICTURE else "the bytes are others"
        inbox.takeover()
        patches = sorted((root / "corrections").glob("*.jsonl"))
        lines = [line for path in patches for line in path.read_text().splitlines()]
        links = sorted(path.parent.name for path in (root / "inbox" / "labelled").glob("*/*"))
        return None if (len(lines), links) == (1, ["other"]) else f"{len(lines)} corrections, links {links}"


def _copy(made: Path, root: Path) -> None:
    """The project as it was before the work."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(made, root)


def _calls(log: Path) -> list[tuple[str, int]]:
    """Every call that a thread made, by its name and its number among those of that name and thread."""
    counts: Counter[tuple[str, str]] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        if match := re.match(r"(\d+) +(\w+)\(", line):
            counts[match[1], match[2]] += 1
    most: dict[str, int] = {}
    for (_, name), count in counts.items():
        most[name] = max(most.get(name, 0), count)
    return [(name, number) for name, count in most.items() for number in range(1, count + 1)]


def _harmed(log: Path) -> str:
    """The call that was harmed."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if "(INJECTED)" in line]
    return lines[0][:100] if lines else ""


def start(folder: Path, work: str) -> Path:
    """A project in which the work is to be done."""
    from workflow.inbox import Decision, Filters

    root = folder / "bot"
    project = make_project(root, 3)
    if work == "takeover":
        with project.inbox() as inbox:
            import hashlib

            send(inbox)
            own = inbox.gallery(Filters(class_name="character")).items[0]["sha256"]
            inbox.label(
                [
                    Decision(key="a", sha256=own, kind="label", class_name="other", was="character"),
                    Decision(key="b", sha256=hashlib.sha256(PICTURE).hexdigest(), kind="label", class_name="other"),
                ]
            )
    return root


def main() -> int:
    """Run the check; 0 if every promise held."""
    if sys.argv[1:2] == ["--worker"]:
        worker(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fault", nargs="*", choices=FAULTS, default=list(FAULTS))
    parser.add_argument("--work", nargs="*", choices=WORK, default=list(WORK))
    parser.add_argument("--verbose", action="store_true", help="what each process said")
    parser.add_argument("--every", type=int, default=1, help="only each N-th call")
    asked = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory(prefix="wf-syscalls-") as folder:
        for work in asked.work:
            made, root, log = start(Path(folder) / work, work), Path(folder) / "run", Path(folder) / "trace"
            _copy(made, root)
            injected(root, work, "", log)
            calls = _calls(log)
            print(f"{work}: {len(calls)} calls", flush=True)
            for fault in asked.fault:
                count = acknowledged = 0
                for name, number in calls[:: asked.every]:
                    _copy(made, root)
                    said, came = injected(root, work, f"inject={name}:{FAULTS[fault]}:when={number}", log)
                    count += came
                    acknowledged += came and bool(said) and said[0] in ("saved", "known")
                    if problem := wrong(root, work, said, fault):
                        failures += 1
                        print(f"{work}, {fault} at {name} {number}: {problem}", flush=True)
                    if asked.verbose:
                        print(f"{name} {number} {_harmed(log)}: {said[:1]}", flush=True)
                table(
                    [(f"{work}, {fault}: calls harmed", count), ("  of which acknowledged all the same", acknowledged)]
                )
    table([("promises broken", failures)])
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())

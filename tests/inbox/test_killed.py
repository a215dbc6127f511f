"""A process that is killed, or whose disk fails, at any moment loses nothing that it had acknowledged.

The long forms are scripts/serve_check kill and scripts/serve_check syscalls.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from an_inbox import digest, inbox, jpeg, label, send

from workflow.api import Project
from workflow.errors import EnvironmentFault
from workflow.inbox import Facts, Inbox, Item
from workflow.inbox import files as kept_files

__all__ = ["inbox"]

PICTURES = 50
LABELLER = """
import sys
from workflow.api import Project
from workflow.inbox import Decision, Inbox
inbox = Inbox(Project(sys.argv[1]).config)
run = sys.argv[2]
for number in range(100_000):
    sha, name = f"{number % 50:064x}", ("cat", "dog")[number % 3 % 2]
    seq = inbox.picture(sha)["seq"] or 0
    (answer,) = inbox.label([Decision(key=f"{run}.{number}", sha256=sha, kind="label", class_name=name, seq=seq)])
    print(answer.status, f"{run}.{number}", sha, name, flush=True)
"""


def test_every_label_that_was_acknowledged_is_there_after_kills(tmp_path: Path) -> None:
    with Inbox(Project(tmp_path).config) as inbox:
        items = (Item(facts=Facts(sha256=f"{number:064x}"), path=f"{number}.png") for number in range(PICTURES))
        inbox.fill("next", "Next", items)
    acknowledged = []
    for run, wanted in enumerate((3, 40, 21)):
        command = [sys.executable, "-c", LABELLER, tmp_path, str(run)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            acknowledged += [process.stdout.readline().split() for _ in range(wanted)]
            process.send_signal(signal.SIGKILL)
            acknowledged += [line.split() for line in process.stdout if line.endswith("\n")]
    assert {one[0] for one in acknowledged} == {"saved"}
    with closing(sqlite3.connect(tmp_path / "inbox" / "inbox.sqlite")) as c:
        assert c.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        stored = dict(c.execute("SELECT key, class FROM event"))
        last = dict(c.execute("SELECT p.sha256, s.class FROM state s JOIN picture p ON p.id = s.picture"))
        events = c.execute("SELECT p.sha256, e.class FROM event e JOIN picture p ON p.id = e.picture ORDER BY e.seq")
        assert last == dict(events)
    assert len(acknowledged) >= 64
    assert {key: stored.get(key) for _, key, _, _ in acknowledged} == {key: name for _, key, _, name in acknowledged}
    assert len(stored) <= len(acknowledged) + 3  # at most one a run was on the disk and not acknowledged


@pytest.mark.parametrize("where", ["fsync", "link", "write"])
def test_a_disk_that_fails_while_bytes_are_kept_fails_the_submission_alone(
    inbox: Inbox, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(*{"fsync": (os, "fsync"), "link": (kept_files, "create"), "write": (os, "open")}[where], full)
        with pytest.raises(OSError, match="No space left"):
            send(inbox, 1)
    assert not list(kept_files.kept(inbox.folder))
    assert inbox.queue("sent").total == 0
    sha = send(inbox, 1)
    assert inbox.path(sha).read_bytes() == jpeg(1)
    assert not list(inbox.folder.rglob("*.tmp-*"))


def test_a_database_that_may_not_grow_refuses_labels_and_takes_them_again_later(tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk."""
    code = """
import resource, signal, sys
from workflow.api import Project
from workflow.errors import EnvironmentFault
from workflow.inbox import Decision, Inbox
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
inbox = Inbox(Project(sys.argv[1]).config)
decision = Decision(key="k", sha256=sys.argv[2], kind="label", class_name="cat")
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
try:
    inbox.label([decision])
except EnvironmentFault as error:
    print("refused", error.message)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
print(inbox.label([decision])[0].status)
"""
    with Inbox(Project(tmp_path).config) as inbox:
        sha = send(inbox, 1)
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path, sha], capture_output=True, text=True, check=True, timeout=60
    )
    refused, saved = done.stdout.splitlines()
    assert refused.startswith("refused ")
    assert saved == "saved"


def test_an_error_that_sqlite_takes_for_damage_is_not_called_damage(inbox: Inbox) -> None:
    """A read that the disk refused comes as SQLITE_CORRUPT."""
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT

    def work(_: sqlite3.Connection) -> None:
        raise error

    with pytest.raises(EnvironmentFault, match="could not be read"):
        inbox.write(work)
    sha = send(inbox, 1)
    assert inbox.label([label(sha, "cat")])[0].status == "saved"
    assert digest(jpeg(1)) == sha


def test_a_read_that_the_disk_refuses_says_so_and_the_next_one_succeeds(inbox: Inbox) -> None:
    """SQLite has ended the transaction by itself then."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR

    def work(c: sqlite3.Connection) -> None:
        c.execute("ROLLBACK")
        raise error

    with pytest.raises(EnvironmentFault, match="disk I/O error"):
        inbox.read(work)
    assert inbox.queues()

"""The writer: groups, deadlines, and that nothing ends it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from an_inbox import inbox, label, send

from workflow.errors import BusyError, EnvironmentFault, UsageError
from workflow.inbox import Inbox, writer
from workflow.inbox.schema import connect, translated

__all__ = ["inbox"]


def test_what_sqlite_cannot_hold_kills_nothing(inbox):
    sha = send(inbox, 1)
    with pytest.raises(UsageError, match="a number is too large"):
        inbox.write(lambda c: c.execute("UPDATE picture SET bytes = ?", (10**20,)))
    with pytest.raises(UsageError, match="a number is too large"):
        inbox.read(lambda c: c.execute("SELECT ?", (10**20,)).fetchone())
    assert inbox.label([label(sha, "cat")])[0].status == "saved"


@pytest.mark.parametrize(
    "error", [RuntimeError("x"), SystemExit(3), KeyboardInterrupt(), MemoryError(), RecursionError()]
)
def test_whatever_a_piece_of_work_raises_is_told_to_its_caller_alone(inbox, error):
    def broken(c: sqlite3.Connection) -> None:
        c.execute("INSERT INTO token (name, role, created) VALUES ('half', 'bot', '')")
        raise error

    with pytest.raises(type(error)):
        inbox.write(broken)
    assert inbox.tokens() == []
    assert inbox.add_token("bot", "bot")


def test_what_fails_in_a_group_takes_nothing_of_the_others_with_it(inbox):
    """Held back until all are queued, they are one transaction."""
    gate = threading.Event()
    inbox._writer.submit(lambda _: gate.wait(60))

    def work(number: int, c: sqlite3.Connection) -> int:
        c.execute("INSERT INTO token (name, role, created) VALUES (?, 'bot', '')", (f"bot {number}",))
        return 1 // (number % 3)

    futures = [inbox._writer.submit(lambda c, number=number: work(number, c)) for number in range(30)]
    gate.set()
    outcomes = [future.exception(60) for future in futures]
    assert [isinstance(one, ZeroDivisionError) for one in outcomes] == [number % 3 == 0 for number in range(30)]
    assert {token.name for token in inbox.tokens()} == {f"bot {number}" for number in range(30) if number % 3}


def test_a_caller_is_not_left_waiting(inbox):
    gate = threading.Event()
    inbox._writer.submit(lambda _: gate.wait(60))
    with pytest.raises(BusyError, match="not acknowledged within 0 s"):
        inbox._writer.write(lambda c: c.execute("SELECT 1"), timeout=0.05)
    gate.set()
    assert inbox.queues()


def test_a_timeout_that_the_work_itself_raises_is_its_own(inbox):
    def late(_: sqlite3.Connection) -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        inbox.write(late)


def test_close_finishes_what_was_queued_and_refuses_the_rest(inbox):
    send(inbox, 1)
    futures = [
        inbox._writer.submit(
            lambda c, n=n: c.execute("INSERT INTO report (picture, token, note, at) VALUES (1, 1, ?, '')", (str(n),))
        )
        for n in range(50)
    ]
    inbox.close()
    assert all(future.exception(0) is None for future in futures)
    with pytest.raises(BusyError, match="the inbox is closed"):
        inbox.label([])
    with Inbox(inbox.config) as again:
        assert again.read(lambda c: c.execute("SELECT count(*) FROM report").fetchone()) == (50,)


def test_a_transaction_that_sqlite_gave_up_fails_as_a_whole_and_the_next_succeeds(inbox):
    def full(c: sqlite3.Connection) -> None:
        (pages,) = c.execute("PRAGMA page_count").fetchone()
        c.execute(f"PRAGMA max_page_count = {pages}")
        c.execute("CREATE TABLE ballast (x BLOB)")
        c.execute("INSERT INTO ballast VALUES (zeroblob(10000000))")

    assert inbox.queues()
    with pytest.raises(EnvironmentFault, match="disk full; nothing of it was saved"):
        inbox.write(full)
    assert not inbox._readers  # which may share what went wrong
    assert inbox.add_token("bot", "bot")


def test_threads_label_at_once(inbox):
    shas = [send(inbox, number) for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda sha: inbox.label([label(sha, "cat")])[0].status, shas))
    assert answers == ["saved"] * 20


def test_processes_that_open_a_new_inbox_at_the_same_moment(tmp_path: Path):
    code = (
        "import sys; from workflow.api import Project; from workflow.inbox import Inbox\n"
        "with Inbox(Project(sys.argv[1]).config) as inbox:\n"
        "    for n in range(20): inbox.add_token(f'{sys.argv[2]}.{n}', 'bot')\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path, f"p{number}"], stderr=subprocess.PIPE, text=True)
        for number in range(3)
    ]
    assert [process.communicate(timeout=60)[1] for process in running] == [""] * 3
    with Inbox(_config(tmp_path)) as inbox:
        assert len(inbox.tokens()) == 60


def _config(path: Path):
    from workflow.api import Project

    return Project(path).config


def test_another_writer_is_waited_for_and_named_when_it_takes_too_long(inbox, monkeypatch):
    other = connect(inbox.database)
    other.execute("BEGIN IMMEDIATE")
    done = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    done.start()
    assert inbox.add_token("bot", "bot")
    done.join()
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    told = translated(error, inbox.database)
    assert isinstance(told, BusyError)
    assert "another process has been writing to" in str(told)
    assert "locked" not in str(told)
    other.close()


def test_a_connection_that_was_opened_while_the_disk_refused_is_opened_again(inbox, monkeypatch):
    """SQLite opens a file that it may not write for reading alone, and stays so."""
    inbox.close()
    with Inbox(inbox.config) as again:
        real = writer.connect

        def refused(path, **more):
            connection = real(path, **more)
            connection.execute("PRAGMA query_only = ON")
            monkeypatch.setattr(writer, "connect", real)
            return connection

        monkeypatch.setattr(writer, "connect", refused)
        with pytest.raises(EnvironmentFault, match="attempt to write a readonly database"):
            again.add_token("bot", "bot")
        assert again.add_token("bot", "bot")

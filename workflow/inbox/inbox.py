"""The inbox of a project: everything that its methods acknowledge is on the disk.

    with Inbox(project.config) as inbox:
        inbox.enter(inbox.keep(data, "JPEG"), Submission(width=640, height=480, token=bot.id)).result()
        inbox.label([Decision(key="a1", sha256=…, kind="label", class_name="cat")])
        inbox.takeover()

Every thread may call every method. Several processes may have the inbox of a project open at the same time.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from workflow.config import Config
from workflow.errors import NotFound
from workflow.generations import generations
from workflow.inbox import (
    files,
    fillings,
    forgetting,
    gallery,
    labels,
    learning,
    picture_page,
    pictures,
    queues,
    renaming,
    reports,
    submitting,
    sweeping,
    thumbnails,
    tokens,
)  # fmt: skip
from workflow.inbox.decisions import Answer, Decision, Undone
from workflow.inbox.fillings import Item
from workflow.inbox.locking import alone
from workflow.inbox.paging import LIMIT, Filters, Page
from workflow.inbox.pictures import Known, Submission
from workflow.inbox.queues import Queue
from workflow.inbox.schema import connect, migrate, translated
from workflow.inbox.submitting import Entered, Kept
from workflow.inbox.tokens import OWNER, Token
from workflow.inbox.writer import Writer
from workflow.paths import located

if TYPE_CHECKING:
    from workflow.inbox.forgetting import Forgotten
    from workflow.inbox.sweeping import Swept
    from workflow.inbox.takeover import Takeover

T = TypeVar("T")


class Inbox:
    """An open inbox; it is made if there is none.

    Args:
        config: the project's settings.

    Raises:
        DataError: inbox.sqlite is damaged, or was written by a newer wf.
        BusyError, EnvironmentFault: it cannot be opened.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.folder = config.inbox
        """inbox/, which only its owner may enter (0700)."""
        self.database = self.folder / "inbox.sqlite"
        files.make_folder(self.folder)
        self._readers: deque[sqlite3.Connection] = deque()
        self._classes: tuple[tuple[int, int, int], tuple[str, ...]] = ((0, 0, 0), ())
        with alone(self.folder, "opening"), self._told():
            migrate(self.database)
        self.database.chmod(0o600)
        self._writer = Writer(self.database, self._close_readers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish what is being written, then close; nothing more is accepted."""
        self._writer.close()
        self._close_readers()

    # ---- pictures and who sent them ----

    def keep(self, data: bytes, format: str) -> Kept:  # the term of the manifest and the API
        """Write the bytes of a picture that was sent, durably, for `enter` or `discard`.

        Bytes that a generation holds, and whose file is still there, are not kept twice.

        Args:
            data: the file as it was sent.
            format: as `data.sniff` names it: `JPEG`.

        Raises:
            OSError: as the operating system says it.
        """
        return submitting.keep(self, data, format)

    def enter(self, kept: Kept, submission: Submission) -> Future[Entered]:
        """Enter who sent a picture whose bytes are kept, and what the net answered.

        Returns:
            A future that is done once it is on the disk; it raises BusyError or EnvironmentFault if it was not entered.

        Raises:
            BusyError: the inbox is closed.
        """
        return self._writer.submit(lambda c: submitting.enter(c, self, kept, submission))

    def discard(self, kept: Kept) -> None:
        """Remove bytes that are not to be entered, unless somebody else has sent the same ones.

        Raises:
            BusyError, EnvironmentFault: they stay until a sweep.
        """
        submitting.discard(self, kept)

    def report(self, sha256: str, *, class_name: str | None, note: str | None = None, token: int = OWNER) -> int:
        """Keep what a sender says a picture is; None is: not what the net says.

        Raises:
            NotFound: no such picture.
        """
        return self.write(lambda c: reports.report(c, sha256, class_name=class_name, note=note or None, token=token))

    def picture(self, sha256: str) -> dict[str, Any]:
        """Everything about one picture, as `GET /api/pictures/SHA` gives it.

        Raises:
            NotFound: no such picture.
        """
        return self.read(lambda c: picture_page.facts(c, sha256))

    def known(self, sha256: str) -> Known | None:
        """The class and path of a picture in the newest generation that holds it."""
        return self.read(lambda c: pictures.known(c, sha256))

    def sent_by(self, sha256: str, token: int) -> bool:
        """Whether that caller sent this picture."""
        query = "SELECT 1 FROM submission s JOIN picture p ON p.id = s.picture WHERE p.sha256 = ? AND s.token = ?"
        return self.read(lambda c: c.execute(query, (sha256, token)).fetchone() is not None)

    def path(self, sha256: str) -> Path:
        """The file that holds a picture's bytes; whether they are still the same is for the caller to see.

        Raises:
            NotFound: no such picture, or its file is gone.
        """
        row = self.read(lambda c: c.execute("SELECT path FROM picture WHERE sha256 = ?", (sha256,)).fetchone())
        if row is None:
            raise pictures.unknown(sha256)
        path = Path(located(row[0], self.config.project)) if row[0] else None
        if path is None or not path.is_file():
            raise NotFound(f"the file of picture {sha256[:12]}… is gone{f': {path}' if path else ''}")
        return path

    def thumbnail(self, sha256: str, side: int, make: Callable[[bytes, int], bytes] = thumbnails.make) -> bytes:
        """A small picture without metadata, PNG or JPEG; kept for the next time.

        Args:
            sha256: of the picture.
            side: 256, 512 or 1024.
            make: turns a file's bytes into a thumbnail, as `thumbnails.make`; in another process for a stranger's.

        Raises:
            NotFound: no such picture, or its file is gone.
            PictureError: the file is no readable picture.
            UsageError: no such side.
        """
        thumbnails.check_side(side)
        found = thumbnails.cached(self.folder, sha256, side)
        if found is None:
            found = make(self.path(sha256).read_bytes(), side)
            thumbnails.keep(self.folder, sha256, side, found)
        return found

    # ---- decisions ----

    def label(self, decisions: Sequence[Decision], token: int = OWNER) -> list[Answer]:
        """Keep decisions, together: an answer for each, in order.

        Raises:
            BusyError, EnvironmentFault: none of them was kept, or it is not known; send them again.
        """
        return self.write(lambda c: [labels.decide(c, one, token) for one in decisions])

    def undo(self, key: str, token: int = OWNER, *, others_too: bool = True) -> Undone:
        """Undo a decision, see `labels.undo`.

        Raises:
            NotFound: no such decision.
            UsageError: it is another person's decision.
        """
        return self.write(lambda c: labels.undo(c, key, token, others_too=others_too))

    def takeover(self, *, preview: bool = False) -> Takeover:
        """Turn decisions into corrections and links that the next preparation obeys, see `takeover.take_over`."""
        from workflow.inbox.takeover import take_over

        return take_over(self, preview=preview)

    def rename_classes(self, names: Mapping[str, str]) -> int:
        """Follow classes that a preparation renamed, see `renaming.rename`; how many pictures were moved."""
        return renaming.rename(self, names)

    # ---- queues and the gallery ----

    def queues(self) -> list[Queue]:
        """Every queue, `sent` first."""
        return self.read(queues.queues)

    def queue(self, name: str, filters: Filters | None = None, *, after: str | None = None, limit: int = LIMIT) -> Page:
        """Open items of a queue, see `queues.page`."""
        return self.read(lambda c: queues.page(c, name, filters or Filters(), after=after, limit=limit))

    def fill(self, name: str, title: str, items: Iterable[Item]) -> int:
        """Refill a queue, see `fillings.fill`."""
        return fillings.fill(self.write, name, title, items)

    def gallery(self, filters: Filters, *, after: str | None = None, limit: int = LIMIT) -> Page:
        """Pictures that match, see `gallery.page`."""
        return self.read(lambda c: gallery.page(c, filters, after=after, limit=limit))

    def anchors(self, queue: str | None, filters: Filters, step: int) -> list[str]:
        """The cursor behind every `step`-th picture of a queue that matches; None is the gallery."""
        if queue is None:
            return self.read(lambda c: gallery.anchors(c, filters, step))
        return self.read(lambda c: queues.anchors(c, queue, step, filters))

    def learn(self) -> int:
        """Read the manifests of new generations, see `learning.learn`; returns their number."""
        with self.learnt() as count:
            return count

    @contextmanager
    def learnt(self) -> Iterator[int]:
        """Read the manifests of new generations, and block further learning; yields how many there were.

        Raises:
            BusyError: another process takes too long.
            DataError: a manifest is damaged.
        """
        with alone(self.folder, "learning"):
            with self._told(), self._reader() as c:
                count = learning.learn(self.config, c, self.write)
            yield count

    def classes(self) -> tuple[str, ...]:
        """The classes of the newest generation, which labels may name; none before there is one."""
        found = [one for one in generations(self.config) if one.record_path.is_file()]
        if not found:
            return ()
        status = found[-1].record_path.stat()
        mark = (found[-1].number, status.st_mtime_ns, status.st_size)
        if mark != self._classes[0]:
            self._classes = mark, found[-1].read().classes
        return self._classes[1]

    # ---- callers ----

    def token(self, text: str) -> Token | None:
        """The caller that a token belongs to; None if it is not valid."""
        return self.read(lambda c: tokens.find(c, text))

    def owner(self) -> Token:
        """The person at this machine."""
        return self.read(tokens.owner)

    def tokens(self) -> list[Token]:
        """Every token, oldest first."""
        return self.read(tokens.listed)

    def add_token(self, name: str, role: str) -> str:
        """Make a token, and give its text, which is not stored; see `tokens.add`."""
        return self.write(lambda c: tokens.add(c, name, role))

    def revoke(self, name: str) -> Token:
        """Revoke a token, see `tokens.revoke`."""
        return self.write(lambda c: tokens.revoke(c, name))

    def senders(self) -> dict[str, str]:
        """sha256 -> sender of every picture that was sent, by the name of its token."""
        query = "SELECT p.sha256, t.name FROM picture p JOIN token t ON t.id = p.sender"
        return self.read(lambda c: dict(c.execute(query).fetchall()))

    # ---- deleting ----

    def forget(self, sender: str, *, ref: str | None = None) -> Forgotten:
        """Delete what a sender sent, see `forgetting.forget`."""
        return forgetting.forget(self, sender, ref=ref)

    def sweep(self) -> Swept:
        """Remove what an interrupted process left, see `sweeping.sweep`."""
        return sweeping.sweep(self)

    # ---- reading and writing ----

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a piece of work in a transaction; returns its result once it is on the disk.

        Raises:
            BusyError: not acknowledged in time.
            WorkflowError: what the work raised, and what SQLite refused.
        """
        return self._writer.write(work)

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a piece of work that only reads; what it sees is of one moment.

        Raises:
            WorkflowError: what the work raised, and what SQLite refused.
        """
        with self._told(), self._reader() as c:
            c.execute("BEGIN")
            try:
                return work(c)
            finally:
                if c.in_transaction:  # SQLite ends it itself where the disk refuses to be read
                    c.execute("COMMIT")

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with, for one thread at a time."""
        pool = self._readers
        try:
            connection = pool.pop()
        except IndexError:
            connection = connect(self.database)
        sound = True
        try:
            yield connection
        except sqlite3.Error:  # the connection itself may be broken
            sound = False
            raise
        finally:
            if sound and pool is self._readers:
                pool.append(connection)
            else:
                connection.close()

    def _close_readers(self) -> None:
        """Close every connection that reads; those that are in use, once they are not."""
        pool, self._readers = self._readers, deque()
        while pool:
            with suppress(IndexError):  # a thread has just taken it, and closes it
                pool.pop().close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
            raise translated(error, self.database) from error

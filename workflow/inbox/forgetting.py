"""Delete what a sender sent.

What prepared generations hold is not touched: their databases and manifests are what their nets were trained on. They
are counted, so that the owner can prepare new generations and delete the old ones.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow.generations import generations
from workflow.generations.places import INSPECT
from workflow.inbox import files, thumbnails, tokens
from workflow.inbox.schema import connect
from workflow.paths import located, recorded

if TYPE_CHECKING:
    from workflow.inbox.inbox import Inbox

_CHUNK = 20  # pictures in a transaction, which blocks all other writers


@dataclass(kw_only=True)
class Forgotten:
    """What was deleted."""

    sender: str
    pictures: int = 0
    kept: int = 0
    """Pictures that others sent, too, or that are in the project's own folders: only the submission was deleted."""
    submissions: int = 0
    reports: int = 0
    files: int = 0
    """Files with bytes as they were sent."""
    links: int = 0
    """Files in inbox/labelled."""
    thumbnails: int = 0
    looks: int = 0
    """Folders of results about one of the pictures."""
    generations: Counter[int] = field(default_factory=Counter)
    """Generation -> deleted pictures that its data set still holds."""
    token: bool = False
    """Whether the sender's token was revoked by this."""

    def json(self) -> dict[str, Any]:
        """As `wf inbox forget SENDER --json` gives it."""
        return vars(self) | {"generations": {f"gen{number}": n for number, n in sorted(self.generations.items())}}


def forget(inbox: Inbox, sender: str, *, ref: str | None = None) -> Forgotten:
    """Delete the pictures and reports of a sender: files, links, thumbnails, looks and rows.

    Files go first, rows last, so that an interrupted run can be run again. A picture that another sender sent, too,
    stays, and so does one that is in the project's own folders.

    Args:
        inbox: the inbox.
        sender: the name of a token, which is revoked unless `ref` is given.
        ref: only what was sent with this reference.

    Raises:
        NotFound: no such sender.
    """
    inbox.learn()  # which generations hold what
    found = Forgotten(sender=sender)
    token = inbox.read(lambda c: tokens.sender(c, sender))
    if ref is None and token != tokens.OWNER:
        found.token = inbox.write(
            lambda c: c.execute("SELECT 1 FROM token WHERE id = ? AND revoked IS NULL", (token,)).fetchone() is not None
        )
        inbox.write(lambda c: tokens.revoke(c, sender))
    while inbox.write(lambda c: _forget_some(c, inbox, token, ref, found)):
        pass
    if ref is None:
        found.reports += inbox.write(lambda c: c.execute("DELETE FROM report WHERE token = ?", (token,)).rowcount)
        with suppress(sqlite3.IntegrityError):  # it decided about pictures that stay
            inbox.write(lambda c: c.execute("DELETE FROM token WHERE id = ? AND id <> ?", (token, tokens.OWNER)))
    with closing(connect(inbox.database)) as connection:  # so that the journal holds nothing of it either
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return found


def _forget_some(c: sqlite3.Connection, inbox: Inbox, token: int, ref: str | None, found: Forgotten) -> int:
    """Forget some of the sender's submissions; how many there were."""
    wanted = "token = ?" + (" AND ref = ?" if ref is not None else "")
    values = (token,) if ref is None else (token, ref)
    rows = c.execute(
        f"SELECT DISTINCT picture FROM submission WHERE {wanted} LIMIT {_CHUNK}",
        values,
    ).fetchall()
    for (picture,) in rows:
        gone = c.execute(f"DELETE FROM submission WHERE picture = ? AND {wanted}", (picture, *values))
        found.submissions += gone.rowcount
        found.reports += c.execute("DELETE FROM report WHERE picture = ? AND token = ?", (picture, token)).rowcount
        other = c.execute(
            "SELECT token, at FROM submission WHERE picture = ? ORDER BY id LIMIT 1", (picture,)
        ).fetchone()
        if other is not None:
            c.execute("UPDATE picture SET sender = ?, received = ? WHERE id = ?", (*other, picture))
            found.kept += 1
        else:
            _forget_picture(c, inbox, picture, found)
    return len(rows)


def _forget_picture(c: sqlite3.Connection, inbox: Inbox, picture: int, found: Forgotten) -> None:
    sha256, origin = c.execute("SELECT sha256, origin FROM picture WHERE id = ?", (picture,)).fetchone()
    own = _own(c, inbox, picture, origin)
    found.thumbnails += thumbnails.forget(inbox.folder, sha256)
    for folder in {one.folder for one in generations(inbox.config)}:
        for look in (folder / INSPECT).glob(f"*{sha256}*"):
            shutil.rmtree(look, ignore_errors=True)
            found.looks += 1
    if (looks := inbox.folder / "looks" / sha256).is_dir():
        shutil.rmtree(looks, ignore_errors=True)
        found.looks += 1
    for class_folder in (inbox.folder / "labelled").glob("*/"):
        for path in class_folder.glob(f"{sha256}.*"):
            found.links += files.unlink(inbox.folder, class_folder.name, path.name)
    for path in (inbox.folder / "files" / sha256[:2]).glob(f"{sha256}.*"):
        path.unlink(missing_ok=True)
        files.drop_if_empty(path.parent)
        found.files += 1
    if own is not None:
        c.execute(
            "UPDATE picture SET sender = NULL, received = NULL, origin = ?, path = ? WHERE id = ?",
            ("folder" if origin == "folder" else "generation", own, picture),
        )
        c.execute("DELETE FROM queue_item WHERE picture = ? AND filling = 1", (picture,))
        c.execute("UPDATE state SET link = NULL WHERE picture = ?", (picture,))
        found.kept += 1
        return
    for (number,) in c.execute("SELECT generation FROM member WHERE picture = ?", (picture,)):
        found.generations[number] += 1
    c.execute("UPDATE event SET undoes = NULL WHERE picture = ?", (picture,))  # each refers to another
    for table in ("event", "state", "report", "queue_item", "member"):
        c.execute(f"DELETE FROM {table} WHERE picture = ?", (picture,))
    c.execute("DELETE FROM picture WHERE id = ?", (picture,))
    found.pictures += 1


def _own(c: sqlite3.Connection, inbox: Inbox, picture: int, origin: str) -> str | None:
    """The owner's own path of the picture, outside the inbox; None if there is none."""
    rows = c.execute("SELECT path FROM member WHERE picture = ? ORDER BY generation DESC", (picture,)).fetchall()
    if origin == "folder":
        rows += c.execute("SELECT path FROM picture WHERE id = ?", (picture,)).fetchall()
    for (path,) in rows:
        if path is not None and not _within(inbox, path) and Path(located(path, inbox.config.project)).is_file():
            return str(path)
    return None


def _within(inbox: Inbox, path: str) -> bool:
    """Whether a recorded path leads into the inbox."""
    return path.startswith(recorded(inbox.folder, inbox.config.project) + "/")

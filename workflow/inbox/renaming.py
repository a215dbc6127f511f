"""Follow a class that `wf prepare --rename` gave another name."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from workflow.inbox import files
from workflow.inbox.locking import alone

if TYPE_CHECKING:
    from workflow.inbox.inbox import Inbox


def rename(inbox: Inbox, names: Mapping[str, str]) -> int:
    """Move labelled pictures to the folder of the new name, and decisions to the new class; events stay as they were.

    Args:
        inbox: the inbox.
        names: old name -> new name.

    Returns:
        How many pictures were moved.
    """
    count = 0
    with alone(inbox.folder, "takeover"):
        for old, new in names.items():
            folder = inbox.folder / "labelled" / old
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                files.move_link(inbox.folder, old, new, path.name)
                count += 1
            inbox.write(partial(_rename, old=old, new=new))
    return count


def _rename(c: sqlite3.Connection, *, old: str, new: str) -> None:
    for column in ("class", "base", "taken_base", "link"):
        c.execute(f"UPDATE state SET {column} = ? WHERE {column} = ?", (new, old))
    c.execute(
        "UPDATE picture SET class = ? WHERE class = ? AND EXISTS (SELECT 1 FROM state WHERE picture = picture.id)",
        (new, old),
    )
    c.execute("UPDATE queue_item SET suggestion = ? WHERE suggestion = ? AND done IS NULL", (new, old))

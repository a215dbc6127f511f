"""Which picture is in which generation: read from the manifests once, so that looking one up takes no time."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial
from itertools import islice

from workflow.config import Config
from workflow.data import manifest
from workflow.data.manifest import Image
from workflow.errors import DataError
from workflow.generations import Generation, generations
from workflow.inbox.pictures import Facts, enter
from workflow.inbox.writer import Write
from workflow.paths import recorded

_CHUNK = 100  # pictures in a transaction: some milliseconds, which a label waits at most


def learn(config: Config, read: sqlite3.Connection, write: Write) -> int:
    """Read the manifests of generations that are new or were replaced, and forget those that are gone.

    A process that is killed here learns the same generation again: it counts as learnt once its last row is in.

    Args:
        config: says where the generations are.
        read: to look at what is known.
        write: see `writer.Write`.

    Returns:
        How many generations were new.

    Raises:
        DataError: a manifest is damaged.
    """
    known = dict(read.execute("SELECT number, created FROM generation"))
    there = {}
    for one in generations(config):
        try:
            there[one.number] = (one, one.read().created)
        except DataError:  # being made, or without a record: nothing to learn from it
            continue
    for number in known.keys() - there.keys():
        _forget(write, number)
    new = [one for number, (one, created) in sorted(there.items()) if known.get(number) != created]
    for one in new:
        _learn(one, there[one.number][1], write)
    return len(new)


def _learn(one: Generation, created: str, write: Write) -> None:
    _forget(write, one.number)
    write(lambda c: c.execute("INSERT OR IGNORE INTO generation (number, created) VALUES (?, '')", (one.number,)))
    images = manifest.read(one)
    while chunk := list(islice(images, _CHUNK)):
        write(partial(_enter, one=one, images=chunk))
    write(lambda c: c.execute("UPDATE generation SET created = ? WHERE number = ?", (created, one.number)))


def _enter(c: sqlite3.Connection, *, one: Generation, images: Sequence[Image]) -> None:
    for image in images:
        path = recorded(image.path, one.project)
        picture, _ = enter(c, Facts(sha256=image.sha256), origin="generation", path=path)
        c.execute(
            "INSERT OR REPLACE INTO member (generation, picture, class, split, path) VALUES (?, ?, ?, ?, ?)",
            (one.number, picture, image.class_name, image.split, path),
        )
        _refresh(c, picture)


def _forget(write: Write, number: int) -> None:
    while write(lambda c: _forget_some(c, number)):
        pass


def _forget_some(c: sqlite3.Connection, number: int) -> int:
    """Remove some pictures from a generation; how many."""
    rows = c.execute("SELECT picture FROM member WHERE generation = ? LIMIT ?", (number, _CHUNK)).fetchall()
    for (picture,) in rows:
        c.execute("DELETE FROM member WHERE generation = ? AND picture = ?", (number, picture))
        _refresh(c, picture)
    if not rows:
        c.execute("DELETE FROM generation WHERE number = ?", (number,))
    return len(rows)


def _refresh(c: sqlite3.Connection, picture: int) -> None:
    """What a picture's row says of its newest generation, and its class.

    A decision that was taken over before that generation was made is part of it; a later one is still the class.
    """
    c.execute(
        "UPDATE picture SET (generation, split, known, path) = (SELECT m.generation, m.split, m.class, "
        "CASE picture.origin WHEN 'generation' THEN m.path ELSE picture.path END "
        "FROM member m WHERE m.picture = picture.id ORDER BY m.generation DESC LIMIT 1) "
        "WHERE id = ? AND EXISTS (SELECT 1 FROM member WHERE picture = ?)",
        (picture, picture),
    )
    c.execute(
        "UPDATE picture SET generation = NULL, split = NULL, known = NULL "
        "WHERE id = ? AND NOT EXISTS (SELECT 1 FROM member WHERE picture = ?)",
        (picture, picture),
    )
    c.execute(
        "UPDATE picture SET class = (SELECT CASE WHEN s.kind IN ('label', 'keep', 'remove') AND (s.pending = 1 "
        "OR coalesce(picture.generation, 0) <= coalesce(s.taken_generation, 0)) THEN s.class ELSE picture.known END "
        "FROM (SELECT 1) LEFT JOIN state s ON s.picture = picture.id) WHERE id = ?",
        (picture,),
    )

"""Which picture is in which generation: read from the manifests once, so that lookups are fast."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

from workflow.config import Config
from workflow.data import corrections, manifest
from workflow.data.manifest import Image
from workflow.errors import DataError
from workflow.generations import Generation, Record, generations
from workflow.inbox.writer import Write
from workflow.paths import recorded

_CHUNK = 200  # pictures in a transaction: a few milliseconds, the longest that a label waits


def learn(config: Config, read: sqlite3.Connection, write: Write) -> int:
    """Read the manifests of generations that are new or were replaced, and forget those that are gone.

    A process that is killed here learns the same generation again: it counts as learnt once its last row is in.

    Args:
        config: says where the generations are.
        read: see `writer.Work`.
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
            there[one.number] = one, one.read()
        except DataError:  # being made, or without a record: nothing to learn from it
            continue
    new = [pair for number, pair in sorted(there.items()) if known.get(number) != _mark(pair[1])]
    gone = known.keys() - there.keys()
    if not new and not gone:
        return 0
    undone = corrections.undone(config.generations)
    for number in gone:
        _forget(write, number, undone)
    for one, record in new:
        _learn(one, record, undone, write)
    return len(new)


def _learn(one: Generation, record: Record, undone: Collection[int], write: Write) -> None:
    _forget(write, one.number, undone)
    newest = max((int(name) for name in record.corrections.patches), default=0)
    row = (one.number, "", newest)
    write(lambda c: c.execute("INSERT OR REPLACE INTO generation (number, created, patch) VALUES (?, ?, ?)", row))
    images = manifest.read(one)
    while chunk := list(islice(images, _CHUNK)):
        write(partial(_enter, one=one, images=chunk, undone=undone))
    write(lambda c: c.execute("UPDATE generation SET created = ? WHERE number = ?", (_mark(record), one.number)))


def _mark(record: Record) -> str:
    """The identity of a generation: one that replaces it, even in the same second, has another manifest."""
    return f"{record.created} {record.hashes.get('images.jsonl', '')[:16]}"


def _enter(c: sqlite3.Connection, *, one: Generation, images: Sequence[Image], undone: Collection[int]) -> None:
    rows = [
        {
            "sha256": image.sha256,
            "path": recorded(image.path, one.project),
            "class": image.class_name,
            "split": image.split,
            "generation": one.number,
        }
        for image in images
    ]
    c.executemany("INSERT OR IGNORE INTO picture (sha256, origin, path) VALUES (:sha256, 'generation', :path)", rows)
    c.executemany(
        "INSERT OR REPLACE INTO member (generation, picture, class, split, path) "
        "SELECT :generation, id, :class, :split, :path FROM picture WHERE sha256 = :sha256",
        rows,
    )
    c.executemany(  # most pictures were never decided, and this is their newest generation
        "UPDATE picture SET generation = :generation, split = :split, known = :class, class = :class, "
        "path = iif(origin = 'generation', :path, path) WHERE sha256 = :sha256 "
        "AND coalesce(generation, 0) <= :generation AND NOT EXISTS (SELECT 1 FROM state WHERE picture = picture.id)",
        rows,
    )
    for row in rows:
        decided = c.execute(
            "SELECT p.id FROM picture p JOIN state s ON s.picture = p.id WHERE p.sha256 = :sha256", row
        ).fetchone()
        if decided is not None:
            _refresh(c, decided[0], undone)


def _forget(write: Write, number: int, undone: Collection[int]) -> None:
    while write(partial(_forget_some, number=number, undone=undone)):
        pass


def _forget_some(c: sqlite3.Connection, *, number: int, undone: Collection[int]) -> int:
    """Remove some pictures from a generation; how many."""
    rows = c.execute("SELECT picture FROM member WHERE generation = ? LIMIT ?", (number, _CHUNK)).fetchall()
    for (picture,) in rows:
        c.execute("DELETE FROM member WHERE generation = ? AND picture = ?", (number, picture))
        _refresh(c, picture, undone)
    if not rows:
        c.execute("DELETE FROM generation WHERE number = ?", (number,))
    return len(rows)


def _refresh(c: sqlite3.Connection, picture: int, undone: Collection[int]) -> None:
    """Update a picture's row: its newest generation, and its class.

    Once a generation is made of a decision, the picture has the class that it has there; until then, the decided one.
    """
    row = c.execute(
        "SELECT m.generation, m.split, m.class, m.path, g.patch FROM member m JOIN generation g "
        "ON g.number = m.generation WHERE m.picture = ? ORDER BY m.generation DESC LIMIT 1",
        (picture,),
    ).fetchone()
    member = None if row is None else _Member(*row)
    decided = c.execute(
        "SELECT class, pending, taken_generation, taken_patch, link FROM state "
        "WHERE picture = ? AND (kind IN ('label', 'keep', 'remove') OR taken_generation IS NOT NULL)",
        (picture,),
    ).fetchone()
    class_name = None if member is None else member.class_name
    if decided is not None and not _made(undone, member, *decided[1:]):
        class_name = decided[0]
    facts = (None, None, None, None) if member is None else member[:4]
    c.execute(
        "UPDATE picture SET generation = ?1, split = ?2, known = ?3, class = ?5, "
        "path = CASE WHEN origin = 'generation' AND ?4 IS NOT NULL THEN ?4 ELSE path END WHERE id = ?6",
        (*facts, class_name, picture),
    )


class _Member(NamedTuple):
    """A picture in its newest generation."""

    generation: int
    split: str
    class_name: str
    path: str
    patch: int
    """The newest patch that the generation was made with, 0 for none."""


def _made(
    undone: Collection[int],
    member: _Member | None,
    pending: int,
    taken_generation: int | None,
    taken_patch: int | None,
    link: str | None,
) -> bool:
    """Whether a picture's newest generation was made with the decision in force, or after it was undone."""
    if pending or member is None:
        return False
    if taken_patch is not None:
        return taken_patch <= member.patch or taken_patch in undone
    if link is not None:
        return f"/labelled/{link}/" in member.path
    return member.generation > (taken_generation or 0)  # nothing had to be written

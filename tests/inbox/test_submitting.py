"""A picture that is sent: its bytes are kept first and entered then, and nobody's are removed for somebody else."""

from __future__ import annotations

import asyncio
import threading

import pytest
from an_inbox import digest, inbox, jpeg

from workflow.errors import BusyError, NotFound
from workflow.inbox import Submission, acknowledged

__all__ = ["inbox"]

SENT = Submission(width=40, height=30, token=1)


def test_bytes_have_no_row_before_they_are_entered(inbox):
    kept = inbox.keep(jpeg(1), "JPEG")
    assert kept.path.read_bytes() == jpeg(1)
    with pytest.raises(NotFound):
        inbox.path(kept.sha256)
    assert inbox.enter(kept, SENT).result() == (True, None)
    assert inbox.enter(kept, SENT).result() == (False, None)
    assert inbox.path(kept.sha256) == kept.path


def test_what_was_kept_and_never_entered_is_swept(inbox):
    kept = inbox.keep(jpeg(1), "JPEG")
    assert inbox.sweep().files == 1
    assert not kept.path.exists()


def test_discarded_bytes_are_removed(inbox):
    kept = inbox.keep(jpeg(1), "JPEG")
    inbox.discard(kept)
    assert not kept.path.exists()
    inbox.discard(kept)


def test_bytes_that_somebody_else_has_entered_stay(inbox):
    mine, theirs = inbox.keep(jpeg(1), "JPEG"), inbox.keep(jpeg(1), "JPEG")
    inbox.enter(theirs, SENT).result()
    inbox.discard(mine)
    assert inbox.path(digest(jpeg(1))).read_bytes() == jpeg(1)


def test_bytes_that_were_discarded_before_somebody_else_enters_them_are_written_again(inbox):
    mine, theirs = inbox.keep(jpeg(1), "JPEG"), inbox.keep(jpeg(1), "JPEG")
    inbox.discard(mine)
    inbox.enter(theirs, SENT).result()
    assert inbox.path(digest(jpeg(1))).read_bytes() == jpeg(1)


def test_a_picture_is_not_entered_late(inbox):
    begun, gate = threading.Event(), threading.Event()
    inbox._writer.submit(lambda _: (begun.set(), gate.wait(60)))
    begun.wait(60)  # what is queued now waits for it
    kept = inbox.keep(jpeg(1), "JPEG")
    with pytest.raises(BusyError, match="not acknowledged within 0 s"):
        asyncio.run(acknowledged(inbox.enter(kept, SENT), timeout=0.05))
    gate.set()
    inbox.write(lambda _: None)
    with pytest.raises(NotFound):
        inbox.path(kept.sha256)

"""Deleting what a sender sent; sweeping what a killed process left."""

from __future__ import annotations

from pathlib import Path

import pytest
from an_inbox import digest, inbox, jpeg, label, send
from one_generation import make_one

from workflow.api import Project
from workflow.errors import NotFound
from workflow.inbox import Inbox, Submission
from workflow.inbox import files as kept_files
from workflow.machine import machine

__all__ = ["inbox"]


def files(inbox: Inbox) -> set[str]:
    return {
        path.name[:8]
        for folder in ("files", "thumbs", "labelled")
        for path in (inbox.folder / folder).rglob("*")
        if path.is_file()
    }


def test_everything_of_one_sender_and_nothing_of_another(project):
    make_one(project)
    with Inbox(Project(project).config) as inbox:
        ann, bob = (inbox.token(inbox.add_token(name, "bot")) for name in ("ann", "bob"))
        own, both = send(inbox, 1, token=ann.id, cross=1.0), send(inbox, 2, token=ann.id)
        send(inbox, 2, token=bob.id)
        other = send(inbox, 3, token=bob.id)
        inbox.report(own, class_name="empty", token=ann.id)
        inbox.report(other, class_name="empty", token=ann.id)
        inbox.label([label(own, "cross", key="a"), label(both, "cross"), label(other, "cross")])
        inbox.undo("a")
        inbox.label([label(own, "cross", key="b")])
        inbox.takeover()
        inbox.thumbnail(own, 256)
        look = project / "generations" / "gen1" / "inspect" / f"{own}-{own[:8]}-iter_20"
        drawn = inbox.folder / "looks" / own / "7"  # by a job of the web application
        for folder in (look, drawn):
            folder.mkdir(parents=True)
            (folder / "conv1.png").write_bytes(b"x")
        found = inbox.forget("ann")
        assert found.json() == {
            "sender": "ann", "pictures": 1, "kept": 1, "submissions": 2, "reports": 2, "files": 1, "links": 1,
            "thumbnails": 1, "looks": 2, "generations": {}, "token": True,
        }  # fmt: skip
        assert not look.exists()
        assert not drawn.exists()
        assert files(inbox) == {both[:8], other[:8]}
        with pytest.raises(NotFound):
            inbox.picture(own)
        assert inbox.picture(both)["sender"] == "bob"
        assert inbox.picture(other)["reports"] == []
        assert [one.name for one in inbox.tokens()] == ["bob"]
        for path in inbox.folder.glob("inbox.sqlite*"):
            assert own.encode() not in path.read_bytes()
        assert inbox.takeover().conflicts == []


def test_one_post_of_a_bot(inbox):
    bot = inbox.token(inbox.add_token("bot", "bot"))
    first, second = (send(inbox, number, token=bot.id, ref=f"post {number}") for number in (1, 2))
    found = inbox.forget("bot", ref="post 1")
    assert (found.pictures, found.token) == (1, False)
    assert files(inbox) == {second[:8]}
    with pytest.raises(NotFound):
        inbox.picture(first)
    assert inbox.tokens()[0].revoked is None


def test_what_generations_hold_is_said(project):
    make_one(project)
    with Inbox(Project(project).config) as inbox:
        bot = inbox.token(inbox.add_token("bot", "bot"))
        shas = [send(inbox, number, token=bot.id) for number in range(3)]
        inbox.label([label(sha, "cross") for sha in shas])
        inbox.takeover()
        Project(project).prepare()
        found = inbox.forget("bot")
        assert (found.pictures, dict(found.generations)) == (3, {2: 3})
        assert inbox.known(shas[0]) is None


def test_a_picture_that_is_also_in_the_own_folders_stays(project):
    make_one(project)
    with Inbox(Project(project).config) as inbox:
        inbox.learn()
        bot = inbox.token(inbox.add_token("bot", "bot"))
        path = next(Path("images").rglob("*.png"))
        inbox.enter(inbox.keep(path.read_bytes(), "PNG"), Submission(width=1, height=1, token=bot.id)).result()
        assert not list(kept_files.kept(inbox.folder))  # nor is it kept twice
        assert (found := inbox.forget("bot")).kept == 1
        assert found.pictures == 0
        assert path.is_file()
        assert inbox.path(digest(path.read_bytes())).samefile(path)


def test_unknown_senders(inbox):
    inbox.add_token("mastodon", "bot")
    with pytest.raises(NotFound, match="no sender or token is called 'mastodont'"):
        inbox.forget("mastodont")


def test_sweep_takes_what_no_row_speaks_of_and_nothing_else(inbox):
    sha = send(inbox, 1)
    inbox.thumbnail(sha, 256)
    before = files(inbox)
    orphan = kept_files.store(inbox.folder, jpeg(7), digest(jpeg(7)), "JPEG")
    stray = kept_files.link(orphan, inbox.folder, "cat", orphan.name)
    own = inbox.folder / "labelled" / "cat" / "the owner's own.jpg"
    own.write_bytes(jpeg(8))
    half = inbox.folder / "files" / sha[:2] / f"{sha}.jpg.tmp-{machine()}-{2**22 - 1}"
    half.write_bytes(b"half")
    thumb = inbox.folder / "thumbs" / sha[:2] / f"{'0' * 64}.256"
    thumb.write_bytes(b"x")
    found = inbox.sweep()
    assert (found.files, found.links, found.temporary, found.thumbnails, found.missing) == (1, 1, 1, 1, 0)
    assert not any(path.exists() for path in (orphan, stray, half, thumb))
    assert own.exists()
    own.unlink()
    assert files(inbox) == before
    inbox.path(sha).unlink()
    assert inbox.sweep().missing == 1


def test_a_file_that_is_swept_between_file_and_row_is_written_again(inbox, monkeypatch):
    real = inbox.write

    def swept_first(work):
        monkeypatch.setattr(inbox, "write", real)
        assert inbox.sweep().files == 1
        return real(work)

    monkeypatch.setattr(inbox, "write", swept_first)
    sha = send(inbox, 1)
    assert inbox.path(sha).read_bytes() == jpeg(1)

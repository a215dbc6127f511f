"""wf inbox: what people sent, tokens, take-over, deleting."""

from __future__ import annotations

from pathlib import Path

import pytest
from an_inbox import label, send
from one_generation import make_one
from running import Run

from workflow.api import Project
from workflow.inbox import Inbox


def test_from_a_token_to_a_generation_and_away(wf: Run, project: Path) -> None:
    make_one(project)
    made = wf("inbox", "tokens", "add", "mastodon")
    assert made.out.startswith("wf_")
    assert "'mastodon' (bot); it is not stored" in made.err
    assert "mastodon  bot   20" in wf("inbox", "tokens").out
    with Inbox(Project(project).config) as inbox:
        bot = inbox.token(made.out.strip())
        shas = [send(inbox, number, token=bot.id) for number in range(3)]
        inbox.label([label(sha, "cross") for sha in shas[:2]])
    listed = wf("inbox", "list").out
    assert "sent      1  Sent, without a label" in listed
    assert "2 decisions not taken over yet: wf inbox takeover" in listed
    assert "warning: 2 decisions in the inbox not taken over yet" in wf("prepare", "--force").err
    assert "would take over: 2 pictures new with a class" in wf("inbox", "takeover", "--preview").out
    assert wf("inbox", "takeover", "--json").json["linked"] == 2
    document = wf("prepare", "--json").json
    assert document["inbox"] == {"pictures": 2, "senders": {"mastodon": 2}}
    assert document["changes"]["added"] == 2
    without = wf("prepare", "--no-inbox")
    assert "from the inbox" not in without.out
    assert "2 removed" in without.out
    gone = wf("inbox", "forget", "mastodon").out
    assert "mastodon: 3 pictures, 3 submissions and 0 reports deleted (3 files, 2 labelled links)" in gone
    assert "gen3 still holds 2 pictures in its data set" in gone
    assert not list((project / "inbox" / "labelled").rglob("*.jpg"))
    assert wf("inbox", "sweep").out == "removed: nothing\n"


def test_a_class_that_is_renamed_is_renamed_in_the_inbox(wf: Run, project: Path) -> None:
    make_one(project)
    with Inbox(Project(project).config) as inbox:
        taken, due = send(inbox, 1), send(inbox, 2)
        inbox.label([label(taken, "cross")])
        inbox.takeover()
        inbox.label([label(due, "cross", key="due")])
        wf("prepare", "--rename", "cross=plus")
        inbox.learn()
        assert [path.parent.name for path in inbox.folder.glob("labelled/*/*")] == ["plus"]
        assert [inbox.picture(sha)["label"] for sha in (taken, due)] == ["plus", "plus"]
        for split in ("train", "test"):
            (project / "images" / split / "cross").rename(project / "images" / split / "plus")
        assert inbox.takeover().linked == 1
        document = wf("prepare", "--json").json
        assert document["classes"] == ["circle", "plus", "empty"]
        assert document["inbox"]["pictures"] == 2
        assert inbox.undo("due").class_name is None


def empty(project: Path) -> None:
    """A project without generations."""
    (project / "configs").mkdir()
    (project / "configs" / "default.yaml").write_text("images: [images]\n")


def test_revoke(wf: Run, project: Path) -> None:
    empty(project)
    wf("inbox", "tokens", "add", "ann", "--role", "labeller")
    assert "'ann' is revoked" in wf("inbox", "tokens", "revoke", "ann").out
    assert wf("inbox", "tokens", "--json").json["tokens"][0]["revoked"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tokens", "revoke", "nobody"), "no sender or token is called 'nobody'"),
        (("tokens", "add"), "which token? expected a name after 'add'"),
        (("tokens", "add", "a/b"), "a token cannot be called 'a/b'"),
        (("tokens", "add", "x", "--role", "king"), "'king'"),
        (("forget", "nobody"), "no sender or token is called 'nobody'"),
        (("takeover",), "no generation"),
    ],
)
def test_errors(wf: Run, project: Path, arguments: tuple[str, ...], message: str) -> None:
    empty(project)
    assert message in wf("inbox", *arguments, code=2).err


def test_outside_a_project_nothing_is_made(wf: Run, project: Path) -> None:
    assert "is not a wf project" in wf("inbox", "list", code=2).err
    assert list(project.iterdir()) == []

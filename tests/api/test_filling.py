"""Queues filled with what calls of a project find."""

from __future__ import annotations

from pathlib import Path

import pytest
from one_generation import make_one
from served import png

from workflow import Project
from workflow.api.filling import fill_queue
from workflow.errors import UsageError


@pytest.fixture
def bot(elsewhere: Path) -> Project:
    make_one(elsewhere)
    pile = elsewhere / "My Pile"
    pile.mkdir()
    for seed in range(12):
        (pile / f"{seed}.png").write_bytes(png(seed))
    return Project(elsewhere)


@pytest.mark.parametrize("kind", ["mistakes", "suspects", "next", "junk", "folder"])
def test_each_kind_fills_its_queue(bot: Project, kind: str) -> None:
    pile = bot.root / "My Pile"
    with bot.inbox() as inbox:
        found = fill_queue(bot, inbox, kind, folder=pile)
        assert found["queue"] == ("folder-my-pile" if kind == "folder" else kind)
        page = inbox.queue(found["queue"])
        assert page.total == found["count"] == len(page.items)
        assert found["count"] > 0
        for item in page.items:
            assert inbox.path(item["sha256"]).is_file()
            assert item["reason"]
            assert item["suggested"] in ("circle", "cross", "empty", None)
            assert (item["class"] is None) == (kind in ("next", "junk", "folder"))
        assert inbox.thumbnail(page.items[0]["sha256"], 256)
        if kind == "folder":
            assert [one["probability"] for one in page.items] == sorted(one["probability"] for one in page.items)


def test_folders_are_asked_for_and_found(bot: Project) -> None:
    with bot.inbox() as inbox:
        with pytest.raises(UsageError, match="queue 'next' needs a folder"):
            fill_queue(bot, inbox, "next")
        with pytest.raises(UsageError, match="no such folder"):
            fill_queue(bot, inbox, "folder", folder=bot.root / "nothing")

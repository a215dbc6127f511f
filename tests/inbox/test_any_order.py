"""Decisions, undos, take-overs and preparations in random order: what is in force is what a preparation obeys."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from an_inbox import effective, send
from one_generation import make_one

from workflow.api import Project
from workflow.inbox import Decision, Filters, Inbox

CLASSES = ("circle", "cross", "empty")


@dataclass
class Model:
    """What ought to be known of a picture: its class at first, and its decisions that are not undone."""

    first: str | None
    decisions: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    @property
    def class_name(self) -> str | None:
        made = [one for one in self.decisions.values() if one[0] != "later"]
        return made[-1][1] if made else self.first


class Run:
    """One sequence on a project with two pictures of its own folders and two that were sent."""

    def __init__(self, inbox: Inbox, seed: int) -> None:
        self.inbox, self.chance, self.step = inbox, random.Random(seed), 0
        own = inbox.gallery(Filters(class_name="circle", split="train")).items[:2]
        self.models = {one["sha256"]: Model("circle") for one in own}
        self.models |= {send(inbox, number): Model(None) for number in (1, 2)}

    def decide(self) -> None:
        sha256, model = self.chance.choice([*self.models.items()])
        kind = self.chance.choice(["label", "label", "label", "remove", "keep", "later"])
        if kind == "keep" and model.class_name is None:
            return
        class_name = self.chance.choice(CLASSES) if kind == "label" else None if kind == "remove" else model.class_name
        self.step += 1
        asked = class_name if kind == "label" else None
        one = Decision(key=f"{self.step}", sha256=sha256, kind=kind, class_name=asked, was=model.class_name)
        assert self.inbox.label([one])[0].status == "saved"
        model.decisions[one.key] = kind, class_name

    def undo(self) -> None:
        model = self.chance.choice([*self.models.values()])
        if model.decisions:
            key = self.chance.choice([*model.decisions])
            del model.decisions[key]
            assert self.inbox.undo(key).class_name == model.class_name

    def take_over(self) -> None:
        assert self.inbox.takeover().conflicts == []
        links = {path.name[:64]: path.parent.name for path in self.inbox.folder.glob("labelled/*/*")}
        assert len(links) == len([*self.inbox.folder.glob("labelled/*/*")])
        for sha256, model in self.models.items():
            assert effective(self.inbox, sha256, model.first or links.get(sha256)) == model.class_name
            assert not (model.first and sha256 in links)
        again = self.inbox.takeover()
        assert {again.corrected, again.linked, again.moved, again.removed} == {0}

    def prepare(self) -> None:
        Project(Path()).prepare(force=True)
        self.inbox.learn()


@pytest.mark.parametrize("seed", range(2))
def test_what_is_in_force_is_what_a_preparation_obeys(project: Path, seed: int) -> None:
    make_one(project)
    with Inbox(Project(project).config) as inbox:
        inbox.learn()
        run = Run(inbox, seed)
        for _ in range(20):
            run.chance.choices([run.decide, run.undo, run.take_over, run.prepare], weights=(10, 3, 4, 1))[0]()
            for sha256, model in run.models.items():
                assert inbox.picture(sha256)["label"] == model.class_name
        run.take_over()
        counted = "SELECT left, (SELECT count(*) FROM queue_item WHERE filling = f.id AND done IS NULL) FROM filling f"
        assert all(left == open_ for left, open_ in inbox.read(lambda c: c.execute(counted).fetchall()))

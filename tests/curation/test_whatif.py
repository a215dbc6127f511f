"""What a change of the training pictures would do, on circles and crosses of which many have the wrong label."""

from __future__ import annotations

import csv
import hashlib
import shutil
from pathlib import Path

import pytest
from made_once import made_once
from three_generations import draw, next_generation, settings, write_prototxt

from workflow.config import Config
from workflow.curation.whatif import Edits, WhatIf, whatif
from workflow.errors import UsageError
from workflow.models.loading import load

WRONG = 24  # of 60 circles, labelled as crosses
TRAIN = Path("images/train")


@pytest.fixture(autouse=True)
def spoiled(project: Path) -> Path:
    make(project)
    return project


@made_once
def make(project: Path) -> None:
    write_prototxt(project)
    for name in ("circle", "cross"):
        draw(project / "images", "train", name, 0, 60)
        draw(project / "images", "test", name, 0, 40)
    for number in range(WRONG):
        shutil.move(project / TRAIN / f"circle/{number}.png", project / TRAIN / f"cross/wrong-{number}.png")
    next_generation(project)


def ask(**edits: object) -> WhatIf:
    images = edits.pop("images", ())
    return whatif(Config(), load(settings(), snapshot="best"), Edits(**edits), images=images)  # type: ignore[arg-type]


def wrong() -> list[Path]:
    return [TRAIN / f"cross/wrong-{number}.png" for number in range(WRONG)]


def circles_of_the_test() -> list[Path]:
    return [Path(f"images/test/circle/{number}.png") for number in range(20)]


def test_right_labels_would_help():
    found = ask(relabel=dict.fromkeys(wrong(), "circle"), images=circles_of_the_test())
    assert (found.relabelled, found.removed, found.added) == (WRONG, 0, 0)
    assert found.trained_on == (120, 120)
    assert (found.split, found.count) == ("test", 80)
    assert found.difference > 0.05
    assert found.right[1] - found.right[0] == found.fixed - found.broken
    circles = next(one for one in found.per_class if one.name == "circle")
    assert circles.after > circles.before
    assert sum(one.after["circle"] - one.before["circle"] for one in found.pictures) > 0
    assert {name for one in found.pictures for name in one.labels} <= {"circle", "cross"}
    assert sum(one.count for one in found.per_class) == found.count


def test_more_wrong_labels_would_harm():
    good = [TRAIN / f"circle/{number}.png" for number in range(30, 50)]
    assert ask(relabel=dict.fromkeys(good, "cross")).difference < -0.05


def test_removing_is_not_relabelling():
    found = ask(remove=wrong())
    assert (found.relabelled, found.removed) == (0, WRONG)
    assert found.trained_on == (120, 120 - WRONG)
    assert found.difference > 0


def test_more_pictures_of_which_some_are_known():
    draw(Path("more"), "", "circle", 0, 20)  # without a split: more/circle
    draw(Path("more"), "", "circle", 100, 130)
    found = ask(add=Path("more"))
    assert (found.added, found.known) == (30, 20)
    assert found.trained_on == (120, 150)


def table_of(*decisions: str) -> Path:
    """A table of suspects in which these decisions are filled in for the first wrong labels."""
    rows = [
        {"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "label": "cross",
         "suggested": "circle", "score": "0.9", "why": "", "decision": decision}
        for path, decision in zip(wrong(), decisions, strict=False)
    ]  # fmt: skip
    with Path("suspects.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    return Path("suspects.csv")


def test_the_decisions_of_a_table():
    found = ask(table=table_of("accept", "remove", "refuse", ""))
    assert (found.relabelled, found.removed) == (1, 1)


def test_a_table_names_a_class_of_a_newer_generation(project):
    draw(project / "images", "train", "empty", 0, 9)
    draw(project / "images", "test", "empty", 0, 9)
    next_generation(project)
    edits = Edits(table=table_of("empty"))
    with pytest.raises(UsageError, match="no class 'empty'"):
        whatif(Config(), load(settings(), snapshot="gen1/best"), edits)


def test_a_class_that_is_new():
    draw(Path("more"), "", "empty", 0, 30)
    found = ask(add=Path("more"), images=[Path("images/test/circle/3.png")])
    assert found.added == 30
    assert set(found.pictures[0].after) == {"circle", "cross", "empty"}
    assert [one.name for one in found.per_class] == ["circle", "cross"]


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({}, "no edit"),
        ({"relabel": {TRAIN / "cross/3.png": "cross"}}, "nothing would change"),
        ({"remove": [Path("images/test/cross/3.png")]}, "is not a training picture of gen1: it is a test picture"),
        ({"remove": [Path("no.png")]}, "no.png"),
        ({"relabel": {TRAIN / "cross/3.png": "crosss"}}, "no class 'crosss'"),
    ],
)
def test_what_cannot_be_asked(edits, words):
    with pytest.raises(UsageError, match=words):
        ask(**edits)


def test_a_picture_that_is_not_in_the_data(tmp_path):
    draw(Path("other"), "", "circle", 500, 501)
    with pytest.raises(UsageError, match="it is not in its data"):
        ask(remove=[Path("other/circle/500.png")])

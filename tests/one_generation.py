"""One prepared generation of drawn pictures with two snapshots, in the current folder."""

from __future__ import annotations

from pathlib import Path

from made_once import made_once
from three_generations import KINDS, draw, next_generation, settings, write_prototxt

from workflow.generations import Generation, generation

TRAIN, TEST = 8, {"circle": 5, "cross": 5, "empty": 4}


def make_one(project: Path) -> Generation:
    """gen1: 24 pictures of three classes to train on, 14 to test with; iter_10 and iter_20 of random weights."""
    _make_one(project)
    return generation(settings(), 1)


@made_once
def _make_one(project: Path) -> None:
    write_prototxt(project)
    for name in KINDS:
        draw(project / "images", "train", name, 0, TRAIN)
        draw(project / "images", "test", name, 0, TEST[name])
    next_generation(project)

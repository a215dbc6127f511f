"""One prepared generation of drawn pictures with two snapshots, in the current folder."""

from __future__ import annotations

from pathlib import Path

from three_generations import KINDS, draw, next_generation, write_prototxt

from workflow.generations import Generation

TRAIN, TEST = 8, {"circle": 5, "cross": 5, "empty": 4}


def make_one(project: Path) -> Generation:
    """gen1: 24 pictures of three classes to train on, 14 to test with; iter_10 and iter_20 of random weights."""
    write_prototxt(project)
    for name in KINDS:
        draw(project / "images", "train", name, 0, TRAIN)
        draw(project / "images", "test", name, 0, TEST[name])
    return next_generation(project)

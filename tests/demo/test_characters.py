"""Everybody who can be drawn."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from workflow.demo.canvas import Canvas
from workflow.demo.diagrams import diagram
from workflow.demo.others import OTHERS, Character
from workflow.demo.pip import pip
from workflow.demo.scenes import scene


@pytest.mark.parametrize("character", [pip, *OTHERS])
@pytest.mark.parametrize("seed", range(4))
def test_a_character_fills_the_middle_and_keeps_to_the_board(character: Character, seed: int) -> None:
    canvas = Canvas(96, (255, 255, 255))
    with canvas.placed(scale=0.8):
        character(canvas, Random(seed))
    drawn = np.asarray(canvas.finish()).min(axis=2) < 250
    assert drawn[24:72, 24:72].mean() > 0.4
    border = np.concatenate([drawn[:3].ravel(), drawn[-2:].ravel(), drawn[:, 0], drawn[:, -1]])
    assert not border.any()


@pytest.mark.parametrize("kind", [diagram, scene])
def test_diagrams_and_scenes_are_many(kind) -> None:
    assert len({kind(Random(seed), 64).finish().tobytes() for seed in range(30)}) == 30

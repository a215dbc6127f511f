"""The pictures of a film over generations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workflow.config import Preprocessing
from workflow.interpretation.activations.channel_matching import Match
from workflow.interpretation.activations.generations_film import Appearance, Lineage
from workflow.report.lineage import draw_lineage

CLASSES = ("cat$", "fox of a very long name indeed", "dog")


def lineage(generations: int, matched: bool) -> Lineage:
    rng = np.random.default_rng(3)
    columns = []
    for number in range(1, generations + 1):
        known = CLASSES if number > 1 else CLASSES[:2]
        shares = rng.dirichlet(np.ones(len(known)))
        columns.append(
            Appearance(
                generation=number,
                snapshot=f"gen{number}/iter_9",
                iteration=9,
                classes=known,
                preprocessing=Preprocessing(width=7, height=5),
                pixels=rng.integers(0, 255, (3, 5, 7)).astype(np.uint8),
                probabilities=dict(zip(known, shares.tolist(), strict=True)),
            )
        )
    maps = {
        "conv": rng.normal(size=(generations, 5, 3, 4)).astype("f"),
        "prob": np.array([[one.probabilities.get(name, np.nan) for name in CLASSES] for one in columns], "f"),
    }
    maps["prob"] = maps["prob"].reshape(generations, 3, 1, 1)
    if not matched:
        maps["conv"][:-1] = np.nan
    one = Match(channel=2, correlation=0.9) if matched else Match(channel=None, reason="weak")
    return Lineage(
        image=Path("$x.png"),
        columns=tuple(columns),
        without=(),
        maps=maps,
        named=frozenset({"prob"}),
        matches={"conv": [[one] * 5] * (generations - 1), "prob": [[Match(channel=0)] * 3] * (generations - 1)},
        pictures=9,
        left_out=(),
    )


def grey(path: Path) -> float:
    """The share of the colour of what is unmatched."""
    return float((np.asarray(Image.open(path).convert("RGB")) == 0xB4).all(axis=2).mean())


@pytest.mark.parametrize("generations", [2, 9])
def test_a_frame_a_generation_and_at_most_eight_columns(tmp_path: Path, generations: int) -> None:
    paths = draw_lineage(lineage(generations, True), tmp_path / "new")
    with Image.open(paths["film"]) as film, Image.open(paths["strip"]) as strip:
        assert film.n_frames == generations
        assert strip.width < 2000
        for picture in (film, strip):  # nothing is cut
            pixels = np.asarray(picture.convert("RGB"))
            assert all((edge == 255).all() for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))


def test_what_is_unmatched_is_grey(tmp_path: Path) -> None:
    matched = draw_lineage(lineage(2, True), tmp_path / "matched")["strip"]
    assert (
        grey(draw_lineage(lineage(2, False), tmp_path / "unmatched")["strip"]) > 2 * grey(matched) > 0
    )  # an absent class is grey, too

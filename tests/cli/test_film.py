"""wf film."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from running import Run

IMAGE = "images/character/0000.png"


def test_every_snapshot_is_a_frame(trained: Run) -> None:
    trained("train", "--max-iter", "4")
    document = trained("film", IMAGE, "--blob", "conv1", "--json").json
    assert document["iterations"] == [2, 4]
    seen = trained("inspect", IMAGE, "--snapshot", "iter_2", "--json").json["probabilities"]
    assert document["probabilities"]["character"][0] == pytest.approx(seen["character"], abs=1e-6)
    assert document["snapshot"] == "gen1/iter_4"
    with Image.open(document["pictures"]["film"]) as film:
        assert film.n_frames == 2
    assert Path(document["pictures"]["strip"]).stat().st_size > 10_000


def test_words_for_people(trained: Run) -> None:
    ran = trained("film", IMAGE, "--out", "there")
    assert "iteration" in ran.out
    assert Path("there/film.png").is_file()


def test_an_unknown_blob(trained: Run) -> None:
    assert "no blob 'conv9'" in trained("film", IMAGE, "--blob", "conv9", code=2).err

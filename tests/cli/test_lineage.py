"""wf film --generations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import Run, run_wf
from small_net import edit
from three_generations import make_three

from workflow.generations.places import picture_key

IMAGE = "images/test/cross/2.png"


@pytest.fixture
def three(project: Path) -> Run:
    """`wf` in a project of three generations; gen1 does not know the class 'empty'."""
    make_three(project)
    Path("configs").mkdir()
    Path("configs/default.yaml").write_text(
        "preprocessing: {width: 8, height: 9}\n"
        "train: {solver: prototxt/small_solver.prototxt, deploy: prototxt/small_deploy.prototxt}\n"
    )
    return run_wf


def test_all_generations(three: Run) -> None:
    document = three("film", IMAGE, "--generations", "all", "--json").json
    assert document["generations"] == [1, 2, 3]
    assert document["snapshot"] == "gen3/iter_20"
    seen = three("inspect", IMAGE, "--snapshot", "gen1/iter_20", "--json").json["probabilities"]
    assert document["probabilities"]["circle"][0] == pytest.approx(seen["circle"], abs=1e-6)
    assert list(document["matches"]) == ["conv", "pool", "prob"]
    assert (
        document["pictures"]["strip"] == f"generations/gen3/inspect/2-{picture_key(Path(IMAGE))}-generations/film.png"
    )
    with Image.open(document["pictures"]["film"]) as film:
        assert film.n_frames == 3
    strip = np.asarray(Image.open(document["pictures"]["strip"]).convert("RGB"))
    assert (strip == (0xB4, 0xB4, 0xB4)).all(axis=2).mean() > 0.02  # what is unmatched is grey


def test_words_for_people(three: Run) -> None:
    edit(Path("generations/gen1/prototxt/deploy.prototxt"), "pad: 1", "pad: 0")
    edit(Path("generations/gen1/prototxt/deploy.prototxt"), "stride: 2", "stride: 1")
    words = three("film", IMAGE, "--generations", "1,3", "--out", "there", "--best").out
    assert "through 2 generations" in words
    assert "gen3 conv   other size" in words
    assert "matched by 25 test pictures of gen3" in words
    assert "class 'empty' is absent in gen1" in words
    assert Path("there/film.png").is_file()


def test_blobs_of_classes_alone(three: Run) -> None:
    words = three("film", IMAGE, "--generations", "gen2,gen3", "--blob", "ip").out
    assert "matched" not in words
    assert "gen3/iter_20" in words


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--generations", "1,x"], "--generations '1,x' is not a list of generations"),
        (["--generations", "2"], "needs two with a snapshot, got 1"),
        (["--generations", "2,7"], "generation 7 not found"),
        (["--generations", "all", "--gen", "2"], "cannot be used together"),
        (["--generations", "all", "--blob", "convv"], "no blob 'convv'"),
        (["--best"], "--best needs --generations"),
    ],
)
def test_mistakes(three: Run, options: list[str], message: str) -> None:
    assert message in three("film", IMAGE, *options, code=2).err

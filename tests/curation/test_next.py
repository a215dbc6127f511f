from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from three_generations import draw, make_three, settings

from workflow.curation.acquisition import likely
from workflow.curation.next import choose, write_csv

PILE = Path("pile")


@pytest.fixture
def pile(project):
    """30 pictures of noise, two that generations know, a copy and a broken one."""
    made = make_three(project)
    rng = np.random.default_rng(6)
    PILE.mkdir()
    for index in range(30):
        coarse = Image.fromarray(rng.integers(0, 256, size=(5, 5, 3), dtype=np.uint8))
        coarse.resize((16, 18), Image.Resampling.BICUBIC).save(PILE / f"{index:02}.png")
    shutil.copy("images/train/cross/3.png", PILE / "trained.png")
    shutil.copy("images/test/empty/1.png", PILE / "tested.png")
    shutil.copy(PILE / "00.png", PILE / "copy.png")
    (PILE / "broken.png").write_bytes(b"")
    return made


def test_the_best_are_chosen_with_their_parts(pile):
    found = choose(settings(), PILE, count=40)
    assert found.count == 33
    assert found.known == 2
    assert found.twins == 1
    assert [one.path.name for one in found.skipped] == ["broken.png"]
    assert len(found.candidates) == 30
    names = {Path(one.path).name for one in found.candidates}
    assert not names & {"trained.png", "tested.png", "broken.png"}
    assert len(names & {"00.png", "copy.png"}) == 1
    scores = [one.score for one in found.candidates]
    assert scores == sorted(scores, reverse=True)
    for one in found.candidates:
        assert 0 <= one.disagreement <= 1
        assert 0 <= one.margin <= one.probability <= 1
        assert one.novelty > 0
        assert one.reason
    few = choose(settings(), PILE, count=5)
    assert {one.path for one in few.candidates} <= {one.path for one in found.candidates}
    assert len(few.candidates) == 5


def test_what_a_generation_removed_is_not_asked_for_again(pile):
    draw(Path("again"), "train", "circle", 0, 1)  # generation 1 had this one, the later ones do not
    shutil.copy("again/train/circle/0.png", PILE / "removed.png")
    found = choose(settings(), PILE)
    assert found.known == 3
    assert "removed.png" not in {Path(one.path).name for one in found.candidates}


def test_a_table_and_json(pile):
    found = choose(settings(), PILE, count=4)
    document = json.loads(json.dumps(found.json()))
    assert document["snapshots"] == ["gen1/iter_20", "gen2/iter_20", "gen3/iter_20"]
    assert document["next"][0]["path"] == found.candidates[0].path
    write_csv(Path("out/next.csv"), found)
    with Path("out/next.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [one.path for one in found.candidates]
    names = [
        "path",
        "sha256",
        "suggested",
        "probability",
        "score",
        "disagreement",
        "margin",
        "novelty",
        "reason",
        "decision",
    ]
    assert list(rows[0]) == names
    for row, one in zip(rows, found.candidates, strict=True):
        assert float(row["score"]) == pytest.approx(one.score, rel=1e-5)
        assert row["reason"] == one.reason


def test_the_suggestion_is_the_newest_generations(pile):
    from workflow.exams.committee import ask
    from workflow.exams.exam import of_unlabelled

    panel = ask(settings(), of_unlabelled(PILE))
    said = {one.path: likely(panel.newest, index)[0] for index, one in enumerate(panel.pictures)}
    for one in choose(settings(), PILE, count=10).candidates:
        assert (one.suggested, one.probability) == said[one.path]
        assert one.caption.startswith(f"{one.suggested} {one.probability:.2f}?\n")


def test_nothing_left_to_label(pile):
    found = choose(settings(), Path("images/test/cross"))
    assert (found.count, found.known, found.candidates) == (6, 6, ())
    write_csv(Path("next.csv"), found)
    assert Path("next.csv").read_text().startswith("path,sha256,suggested,")

"""wf why."""

from __future__ import annotations

import shutil
from pathlib import Path

from running import Run

from workflow.generations.places import picture_key

IMAGE = "images/character/0000.png"


def test_json(trained: Run) -> None:
    document = trained("why", IMAGE, "--json").json
    assert {document["label"], document["against"]} == {"character", "other"}
    assert document["sum_error"] < 1e-4
    assert len(document["contributions"]) == 64 * 16
    assert len(document["nearest"]) == 8
    home = f"generations/gen1/inspect/0000-{picture_key(Path(IMAGE))}-iter_2"
    assert Path(document["picture"]) == Path(home) / "ledger.png"
    assert Path(document["picture"]).stat().st_size > 10_000


def test_words_for_people(trained: Run) -> None:
    ran = trained("why", IMAGE, "--class", "other", "--nearest", "2", "--metric", "cosine", "--out", "there")
    assert "the contributions and the bias add up to the logit (error" in ran.out
    assert "largest contributions to 'other'" in ran.out
    assert ran.out.count("gen1  /") + ran.out.count("gen1  images") == 2
    assert ran.out.rstrip().endswith("there/ledger-other.png")
    assert Path("there/ledger-other.png").exists()  # not over the account of the predicted class


def test_pictures_of_one_name_keep_their_results_apart(trained: Run) -> None:
    for folder, source in (("a", IMAGE), ("b", "images/other/0001.png")):
        Path(folder).mkdir()
        shutil.copyfile(source, Path(folder) / "x.png")
    first, second = (trained("why", f"{folder}/x.png", "--json").json["picture"] for folder in ("a", "b"))
    assert first != second
    assert Path(first).read_bytes() != Path(second).read_bytes()


def test_an_unknown_class(trained: Run) -> None:
    assert "did you mean 'character'?" in trained("why", IMAGE, "--against", "charakter", code=2).err

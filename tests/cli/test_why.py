"""wf why."""

from __future__ import annotations

from pathlib import Path

from running import Run

IMAGE = "images/character/0000.png"


def test_json(trained: Run) -> None:
    document = trained("why", IMAGE, "--json").json
    assert {document["label"], document["against"]} == {"character", "other"}
    assert document["sum_error"] < 1e-4
    assert len(document["contributions"]) == 64 * 16
    assert len(document["nearest"]) == 8
    assert Path(document["picture"]) == Path("generations/gen1/inspect/0000-iter_2/ledger.png")
    assert Path(document["picture"]).stat().st_size > 10_000


def test_words_for_people(trained: Run) -> None:
    ran = trained("why", IMAGE, "--class", "other", "--nearest", "2", "--metric", "cosine", "--out", "there")
    assert "sums to the logit within" in ran.out
    assert "most for 'other'" in ran.out
    assert ran.out.count("gen1  /") + ran.out.count("gen1  images") == 2
    assert ran.out.rstrip().endswith("there/ledger.png")
    assert Path("there/ledger.png").exists()


def test_an_unknown_class(trained: Run) -> None:
    assert "did you mean 'character'?" in trained("why", IMAGE, "--against", "charakter", code=2).err

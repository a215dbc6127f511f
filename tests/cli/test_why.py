"""wf why."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from running import Run

from workflow.generations.places import picture_key

IMAGE = "images/test/circle/2.png"


def test_json(three: Run) -> None:
    document = three("why", IMAGE, "--json").json
    assert document["label"] != document["against"]
    assert {document["label"], document["against"]} < {"circle", "cross", "empty"}
    assert document["sum_error"] < 1e-4
    assert len(document["contributions"]) == 6 * 9
    assert len(document["nearest"]) == 8
    home = f"generations/gen3/inspect/2-{picture_key(Path(IMAGE))}-iter_20"
    assert Path(document["picture"]) == Path(home) / "ledger.png"
    assert Path(document["picture"]).stat().st_size > 10_000


def test_words_for_people(three: Run) -> None:
    ran = three("why", IMAGE, "--class", "cross", "--nearest", "2", "--metric", "cosine", "--out", "there")
    assert "the contributions and the bias add up to the logit (error" in ran.out
    assert "largest contributions to 'cross'" in ran.out
    assert len(re.findall(r"gen\d  images", ran.out)) == 2
    assert ran.out.rstrip().endswith("there/ledger-cross.png")
    assert Path("there/ledger-cross.png").exists()  # not over the account of the predicted class


def test_pictures_of_one_name_keep_their_results_apart(three: Run) -> None:
    for folder, source in (("a", IMAGE), ("b", "images/test/cross/1.png")):
        Path(folder).mkdir()
        shutil.copyfile(source, Path(folder) / "x.png")
    first, second = (three("why", f"{folder}/x.png", "--json").json["picture"] for folder in ("a", "b"))
    assert first != second
    assert Path(first).read_bytes() != Path(second).read_bytes()


def test_an_unknown_class(three: Run) -> None:
    assert "did you mean 'circle'?" in three("why", IMAGE, "--against", "cirkle", code=2).err

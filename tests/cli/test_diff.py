"""wf diff, wf log and wf blame: flags, what is printed, JSON keys. What they find is tested in tests/evaluation."""

from __future__ import annotations

import shutil
from pathlib import Path

from running import Run


def test_diff_json(three: Run) -> None:
    facts = three("diff", "gen2", "gen3", "--json").json
    for key in ("fixed", "broken", "still_wrong"):
        assert all(path.startswith("images/test/") for path in facts[key])
    assert 0 < facts["p_value"] <= 1
    assert facts["verdict"]["outcome"] in ("better", "worse", "noise")
    assert all(Path(path).is_file() for path in facts["files"].values())
    assert (facts["before"], facts["after"], facts["exam"]) == ("gen2/iter_20", "gen3/iter_20", "gen3 test")


def test_diff_for_people(three: Run) -> None:
    ran = three("diff", "gen1", "gen3", "--exam", "gen1", "--out", "here")
    assert ran.out.startswith(("no clear difference: ", "a clear difference: "))
    assert "left out: 1 picture of the exam, 1 in the training set of gen3/iter_20" in ran.out
    assert "gen3's own test set is a different exam: 25 pictures, 11 of them in this one" in ran.out
    assert "more than once" in ran.out
    assert Path("here/diff.png").is_file()
    ran = three("diff", "gen1", "gen3", "--no-history")
    assert "gen1/iter_20 does not know 'empty' (4 pictures): counted as wrong" in ran.out
    assert "to and fro" not in ran.out
    assert "warning" not in ran.err  # all that matters is in the answer


def test_diff_of_models_from_elsewhere_needs_an_exam(three: Run) -> None:
    shutil.copy("generations/gen2/snapshots/small_iter_20.caffemodel", "elsewhere.caffemodel")
    ran = three("diff", "elsewhere.caffemodel", "gen3", code=2)
    assert "belongs to no generation" in ran.err


def test_log(three: Run) -> None:
    facts = three("log", "--json").json
    assert [one["generation"] for one in facts["generations"]] == [1, 2, 3]
    assert facts["generations"][2]["changes"]["relabelled"] == 1
    assert facts["trend"] == "generations/trend.png"
    assert Path(facts["trend"]).is_file()
    ran = three("log", "--exam", "gen3", "--out", "here")
    assert ran.out.index("gen3, after gen2") < ran.out.index("gen2, after gen1")
    assert "29 train, 25 test (10 added, 1 relabelled, 1 moved to train)" in ran.out
    assert "circle, cross, empty (new)" in ran.out
    assert " of 21 test pictures of gen3, by gen1/iter_20" in ran.out
    assert facts["exam"] == "gen3"
    assert three("log", "--exam", "own", "--json").json["exam"] is None
    assert Path("here/trend.png").is_file()
    assert three("log", "--exam", "gen9", code=2).err.startswith("error: generation 9 not found")


def test_blame(three: Run) -> None:
    ran = three("blame", "images/train/cross/was_a_circle.png")
    assert "gen1 added it as 'circle', in the train set: images/train/circle/1.png" in ran.out
    assert "gen3 relabelled it from 'circle' to 'cross'" in ran.out
    assert ran.out.count("in its training set") == 3
    facts = three("blame", "images/test/circle/2.png", "--json").json
    assert (facts["brought_by"], facts["label"]) == ("gen1", "circle")
    assert [one["generation"] for one in facts["answers"]] == ["gen1", "gen2", "gen3"]
    assert three("blame", "nothing.png", "--json", code=2).json["error"]["id"] == "P01"

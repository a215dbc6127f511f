"""The list of generations is what their records say."""

from __future__ import annotations

import json
from pathlib import Path

from msgspec import structs
from one_generation import make_one

from workflow import Project
from workflow.evaluation.metrics import interval


def test_it_says_what_is_recorded(project: Path) -> None:
    one = make_one(project)
    (found,) = Project(project).overview()
    facts = found.json()
    assert json.loads(json.dumps(facts)) is not None
    assert (facts["name"], facts["state"], facts["pictures"]) == ("gen1", "trained", {"train": 24, "test": 14})
    assert facts["accuracy"] == 0.6
    assert facts["interval"] == interval(8, 14)
    assert [(each["name"], each["best"]) for each in facts["snapshots"]] == [("iter_10", False), ("iter_20", True)]
    assert facts["verdict"] is None
    with one.held("wf train"):
        assert Project(project).overview()[0].state == "training"


def test_the_verdict_is_that_of_the_newest_comparison_with_the_parent(project: Path) -> None:
    one = make_one(project)
    one.write(structs.replace(one.read(), parent=0))
    place = one.folder / "evaluation" / "iter_20" / "gen1-test" / "diff-gen0-iter_5"
    place.mkdir(parents=True)
    (place / "diff.json").write_text('{"verdict": {"words": "signal: better"}}')
    (found,) = Project(project).overview()
    assert found.verdict == "signal: better"

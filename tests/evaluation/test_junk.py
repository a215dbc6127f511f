from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from three_generations import make_three, settings

from workflow.config import Config
from workflow.errors import UsageError
from workflow.evaluation.junk import junk
from workflow.exams import cache
from workflow.exams.exam import of_generation
from workflow.generations import existing
from workflow.models.loading import load

JUNK = Path("junk")


@pytest.fixture
def three(project):
    rng = np.random.default_rng(8)
    made = make_three(project)
    for kind, level in (("dark", 60), ("light", 200)):
        (JUNK / kind).mkdir(parents=True)
        for index in range(10):
            pixels = rng.integers(level - 50, level + 50, size=(9, 8, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(JUNK / kind / f"{index}.png")
    return made


def scores(number: int, names: list[str]) -> np.ndarray:
    """The plain way: one picture at a time, the greatest probability of these classes."""
    model = load(settings(), snapshot=f"gen{number}/best", tell=False)
    columns = [index for index, name in enumerate(model.classes or ()) if name in names]
    with model.open() as session:
        files = sorted(JUNK.rglob("*.png"))
        return np.array([model.forward(session, [model.read(file)])["prob"][0, columns].max() for file in files])


def test_rates_and_thresholds_of_every_generation(three):
    found = junk(settings(), JUNK, max_rate=0.2)
    assert found.count == 20
    assert found.newest.positives == ("circle", "cross", "empty")
    for number, one in enumerate(found.scores, start=1):
        expected = scores(number, ["circle", "cross", "empty"])
        np.testing.assert_allclose(one.scores, expected, rtol=1e-4)
        assert one.generation == f"gen{number}"
        assert one.now.rate == (expected >= 0.5).mean()
        assert one.kept is not None
        assert one.kept.rate < 0.2
        assert (one.scores >= one.kept.threshold).mean() == one.kept.rate


def test_what_the_threshold_costs_on_the_newest_test_set(three):
    found = junk(settings(), JUNK, class_name="cross")
    for number, one in enumerate(found.scores, start=1):
        model = load(settings(), snapshot=f"gen{number}/best", tell=False)
        answers = cache.answers(model, of_generation(existing(Config()), model))
        column = answers.classes.index("cross")
        own = [row[column] for row, picture in zip(answers.probabilities, answers.pictures, strict=True)
               if picture.truth == "cross"]  # fmt: skip
        assert len(own) == 6
        assert one.now.recall == np.mean([share >= 0.5 for share in own])
        assert one.at(0.2).recall == np.mean([share >= 0.2 for share in own])


def test_a_class_that_older_generations_do_not_know(three):
    found = junk(settings(), JUNK, class_name="empty", threshold=0.4)
    assert [one.generation for one in found.scores] == ["gen2", "gen3"]
    with pytest.raises(UsageError, match="no class 'emty'"):
        junk(settings(), JUNK, class_name="emty")


def test_absurdities_are_new_where_the_generation_before_refused_them(three):
    threshold = float(np.median(scores(3, ["circle"])))
    found = junk(settings(), JUNK, class_name="circle", threshold=threshold)
    now, before = scores(3, ["circle"]), scores(2, ["circle"])
    files = sorted(JUNK.rglob("*.png"))
    accepted = {str(file) for file, score in zip(files, found.scores[-1].scores, strict=True) if score >= threshold}
    assert {one.path for one in found.absurdities} == accepted
    for one in found.absurdities:
        index = files.index(Path(one.path))
        assert one.label == "circle"
        assert one.probability == pytest.approx(now[index], rel=1e-4)
        assert one.before == pytest.approx(before[index], rel=1e-4)
        assert one.new == (before[index] < threshold)
    order = [(not one.new, -one.probability) for one in found.absurdities]
    assert order == sorted(order)
    assert found.kinds["dark"][1] == found.kinds["light"][1] == 10
    assert sum(accepted for accepted, _ in found.kinds.values()) == len(accepted)


def test_pictures_that_a_generation_was_trained_on_are_left_out(three):
    training = [Path(f"images/train/cross/{index}.png") for index in (2, 9)]
    for file in training:
        (JUNK / f"was_{file.name}").write_bytes(file.read_bytes())
    found = junk(settings(), JUNK)
    assert (found.count, found.trained_on, found.left_out) == (20, 2, 2)
    assert found.warnings()[0] == "2 pictures are in a training set and are left out"
    first = junk(settings(), JUNK, number=1)
    assert (first.count, first.left_out) == (21, 1)  # picture 9 came with generation 2
    only = junk(settings(), Path("images/train/cross"))
    assert (only.count, only.left_out) == (13, 0)
    assert "every picture is in a training set" in only.warnings()[0]


def test_json_and_few_pictures(three):
    document = json.loads(json.dumps(junk(settings(), JUNK, max_rate=0.01).json()))
    assert document["threshold"] == document["generations"][-1]["threshold"]
    assert document["false_accept_rate"] == 0
    assert document["now"]["threshold"] == 0.5
    assert [one["generation"] for one in document["generations"]] == ["gen1", "gen2", "gen3"]
    assert document["generations"][0]["per_class"].keys() == {"circle", "cross"}
    assert document["warnings"][0].startswith("20 pictures are too few for a rate under 0.01: even if none is accepted")
    one = junk(settings(), JUNK, number=1)
    assert all(entry.new and entry.before is None for entry in one.absurdities)

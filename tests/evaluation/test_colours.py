"""The baseline of colours alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from one_generation import make_one
from three_generations import settings

from workflow.config import Config
from workflow.evaluation.colours import colours, fit
from workflow.evaluation.evaluate import evaluate
from workflow.exams import exam
from workflow.formats import datum, lmdb
from workflow.models.loading import load


@pytest.mark.parametrize("classes", [2, 5])
def test_the_regression_is_scikit_learns(classes):
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, 7))
    labels = (x @ rng.normal(size=(7, classes)) + rng.gumbel(size=(200, classes))).argmax(1)
    ours = fit(x, labels, classes)
    theirs = LogisticRegression(C=1.0, tol=1e-8, max_iter=2000).fit(x, labels)
    scores = x @ ours[:-1] + ours[-1]
    shares = np.exp(scores - scores.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    if classes > 2:  # of two classes, scikit-learn decays one vector of weights, this one two
        np.testing.assert_allclose(shares, theirs.predict_proba(x), atol=2e-3)
    assert (shares.argmax(1) == theirs.predict(x)).mean() > 0.98


def coloured(folder: Path, count: int, seed: int) -> None:
    """Pictures of noise whose left half is brighter for class 1; class 0 and 2 differ by nothing."""
    rng = np.random.default_rng(seed)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    with lmdb.Writer(folder) as writer:
        for index in range(count):
            label = int(rng.integers(0, 3))
            pixels = rng.integers(60, 120, size=(3, 9, 8))
            pixels[:, :, :4] += 60 * (label == 1)
            writer.put(b"%08d_x.png" % index, datum.encode(pixels.astype(np.uint8), label))


def test_it_learns_what_colours_tell_and_no_more(project):
    one = make_one(project)
    coloured(one.database("train"), 300, 1)
    coloured(one.database("test"), 150, 2)
    found = colours(one)
    assert (found.count, found.trained_on) == (150, 300)
    assert 0.55 < found.accuracy < 0.85  # all of class 1, half of the others


def test_it_is_computed_once_for_each_data_set(project, monkeypatch):
    one = make_one(project)
    first = colours(one)
    kept = one.folder / "evaluation" / "colours.json"
    document = json.loads(kept.read_text())
    kept.write_text(json.dumps(document | {"correct": 1}))
    assert colours(one.rerun(7)).correct == 1  # a rerun has the same pictures
    kept.write_text(json.dumps(document | {"correct": 1, "key": "another"}))
    assert colours(one) == first
    kept.write_text("{")
    assert colours(one) == first


def test_evaluate_tells_it_beside_the_accuracy(project, caplog):
    make_one(project)
    model = load(settings())
    found = evaluate(model, exam.asked(Config(), model))
    baseline = found.json()["colours"]
    assert baseline["accuracy"] == baseline["correct"] / 14
    assert ("the net is no better than colours alone" in caplog.text) == (found.score.accuracy <= baseline["accuracy"])
    Path("labelled/circle").mkdir(parents=True)
    Path("images/test/circle/0.png").rename("labelled/circle/0.png")
    assert evaluate(model, exam.of_labelled(Path("labelled"))).colours is None

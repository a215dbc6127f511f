"""The best snapshot gets a temperature when training ends, another when `wf evaluate` is asked about it."""

from __future__ import annotations

import json
import math

import pytest
from three_generations import settings

from workflow import Project
from workflow.exams.temperature import scaled
from workflow.models.loading import load
from workflow.training import train
from workflow.training.confidence import fitted_temperature


def written(generation) -> dict[int, float | None]:
    document = json.loads(generation.record_path.read_text())
    return {one["iteration"]: one.get("temperature") for one in document["snapshots"]}


def test_the_best_snapshot_has_one_at_the_end(validated):
    list(train(settings()))
    best = validated.read().best
    other = next(one for one in validated.read().snapshots if one != best)
    assert written(validated) == {best.iteration: best.temperature, other.iteration: None}
    model = load(settings(), snapshot="best")
    assert model.temperature == best.temperature == fitted_temperature(model)
    assert load(settings(), snapshot=f"iter_{other.iteration}").temperature is None


def test_evaluate_gives_one_to_another_snapshot_and_shows_both(validated):
    list(train(settings()))
    record = validated.read()
    other = next(one for one in record.snapshots if one != record.best)
    project = Project.of(settings())
    with validated.held("wf train"):  # it is used, but cannot be recorded now
        found = project.snapshot(f"iter_{other.iteration}").evaluate()
    assert found.temperature is not None
    assert written(validated)[other.iteration] is None
    snapshot = project.snapshot(f"iter_{other.iteration}")
    before = snapshot.predict("images/test/circle/0.png")
    assert before.calibrated is None
    found = snapshot.evaluate()
    assert written(validated)[other.iteration] == found.temperature == snapshot.model.temperature
    document = found.json()
    assert document["calibrated_ece"] == pytest.approx(found.found.calibrated.ece)
    assert len(document["calibrated"]) == len(document["calibration"])
    after = snapshot.predict("images/test/circle/0.png")
    assert after.probabilities == before.probabilities  # Caffe's own stay
    rows = scaled(found.answers.probabilities, found.temperature)
    at = [one.path for one in found.answers.pictures].index("images/test/circle/0.png")
    assert after.calibrated == pytest.approx(rows[at].max(), rel=1e-5)
    inspected = snapshot.inspect("images/test/circle/0.png")
    assert sum(inspected.calibrated.values()) == pytest.approx(1)
    assert "prob  calibrated" in inspected.words()
    assert f"temperature {found.temperature:.3g}" in found.words()


def test_a_net_without_numbers_has_none(validated):
    list(train(settings()))
    model = load(settings(), snapshot="best")
    for blob in next(layer for layer in model.weights.layer if layer.name == "ip").blobs:
        blob.data[:] = [math.nan] * len(blob.data)
    assert fitted_temperature(model) is None

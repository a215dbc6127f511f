from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from three_generations import make_three, settings

from workflow.config import Config
from workflow.errors import DataError
from workflow.exams import nearest as module
from workflow.exams.exam import of_unlabelled
from workflow.exams.features import features
from workflow.exams.nearest import nearest, neighbours, origins, search, training
from workflow.generations import generations
from workflow.models.loading import load


def distances(queries: np.ndarray, rows: np.ndarray, metric: str) -> np.ndarray:
    """The plain way, in float64."""
    a, b = queries.astype("d"), rows.astype("d")
    if metric == "cosine":
        a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
        return 1 - a @ b.T
    return np.sqrt(np.square(a[:, None] - b[None]).sum(2))


@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_blocks_find_what_a_plain_search_finds(metric, monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 7)
    monkeypatch.setattr(module, "_QUERIES", 4)
    rng = np.random.default_rng(1)
    rows, queries = rng.normal(size=(50, 6)).astype("f2"), rng.normal(size=(11, 6)).astype("f")
    far = distances(queries, rows, metric)
    indices, found = search(queries, rows, 5, metric)
    np.testing.assert_array_equal(indices, far.argsort(1)[:, :5])
    np.testing.assert_allclose(found, np.sort(far, 1)[:, :5], rtol=1e-5)


def test_near_duplicates_far_from_the_origin_are_told_apart():
    rows = 1000 + np.arange(12, dtype="f")[:, None] * np.array([[0.25, 0, 0]], "f")
    indices, found = search(rows[3:4], rows, 3, "l2")
    assert indices.tolist() == [[3, 2, 4]]
    assert found.tolist() == [[0, 0.25, 0.25]]


def test_fewer_rows_than_asked_for_and_rows_of_nothing():
    rows = np.zeros((3, 4), np.float16)
    indices, found = search(np.ones((1, 4), "f"), rows, 8, "cosine")
    assert indices.shape == (1, 3)
    assert np.isfinite(found).all()


def test_a_training_picture_finds_itself_and_where_it_came_from(project):
    make_three(project)
    model = load(settings(), snapshot="gen3/best")
    known = training(model)
    found = nearest(model, known.values.astype("f"), 2)
    np.testing.assert_array_equal(found.indices[:, 0], np.arange(len(known.pictures)))
    assert not found.distances[:, 0].any()
    for name, generation, label in (
        ("cross/3.png", 1, "cross"),
        ("cross/9.png", 2, "cross"),
        ("empty/2.png", 2, "empty"),
        ("cross/was_a_circle.png", 1, "cross"),
        ("circle/was_a_test.png", 1, "circle"),
    ):
        row = next(index for index, one in enumerate(known.pictures) if one.path.endswith(name))
        first, second = neighbours(found, known.pictures[row].sha256, generations(Config()), row=row)
        assert (first.generation, first.label, first.same) == (generation, label, True)
        assert first.record == row
        assert first.path.endswith(name)
        assert not second.same
        assert second.json().keys() == {"path", "label", "distance", "generation", "same"}


def test_the_features_must_be_of_the_same_blob(project):
    make_three(project)
    model = load(settings())
    conv = features(model, of_unlabelled(Path("images/test/cross")), blob="conv")
    with pytest.raises(DataError, match="294 numbers for each picture, but 'pool' has 54"):
        nearest(model, conv.values.astype("f"), 1)
    assert nearest(model, conv.values.astype("f"), 1, blob="conv").indices.shape == (6, 1)


def test_a_generation_without_its_manifest_is_passed_over(project):
    first, second, _ = make_three(project)
    known = training(load(settings(), snapshot="gen2/best"))
    wanted = {one.sha256 for one in known.pictures}
    assert set(origins([first, second], wanted).values()) == {1, 2}
    first.manifest.unlink()
    assert set(origins([first, second], wanted).values()) == {2}

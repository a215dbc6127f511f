from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from three_generations import add_snapshot, make_three, settings

from workflow.errors import DataError, NetError
from workflow.exams.exam import Records, of_unlabelled
from workflow.exams.features import features, halved
from workflow.exams.files import Files
from workflow.models.loading import load


def test_features_are_those_of_the_net(project):
    *_, last = make_three(project)
    model = load(settings(), snapshot="gen3/best")
    told = []
    found = features(model, Records(generation=last, split="train"), progress=lambda *state: told.append(state))
    assert told == [(29, 29)]
    assert found.blob == "pool"
    assert found.values.shape == (29, 54)
    assert found.values.dtype == np.float16
    with model.open() as session:
        for one, row in zip(found.pictures, found.values, strict=True):
            pool = model.forward(session, [model.read(Path(one.path))])["pool"]
            np.testing.assert_allclose(row, pool.reshape(-1), rtol=2e-3, atol=1e-3)


def test_they_are_computed_once(project):
    make_three(project)
    model = load(settings(), snapshot="gen1/best", tell=False)
    folder = project / "pile"
    folder.mkdir()
    for index in (3, 5):
        (folder / f"{index}.png").write_bytes(Path(f"images/test/cross/{index}.png").read_bytes())
    (folder / "4.png").write_bytes(b"no picture")
    told = []

    def again(exam: Files):
        return features(model, exam, progress=lambda *state: told.append(state))

    exam = of_unlabelled(folder)
    first = again(exam)
    assert [Path(one.path).name for one in first.pictures] == ["3.png", "5.png"]
    assert first.values.shape == (2, 54)
    assert [one.path.name for one in exam.skipped] == ["4.png"]
    assert len(told) == 1
    np.testing.assert_array_equal(again(of_unlabelled(folder)).values, first.values)
    assert len(told) == 1
    (folder / "4.png").write_bytes((folder / "3.png").read_bytes())
    assert len(again(of_unlabelled(folder)).pictures) == 3
    assert len(told) == 2


def test_other_weights_or_a_damaged_file_are_noticed(project):
    first, *_ = make_three(project)
    exam = Records(generation=first, split="test")
    model = load(settings(), snapshot="gen1/best", tell=False)
    before = np.array(features(model, exam).values)
    (array,) = Path("generations/gen1/evaluation/iter_20").rglob("features-pool-*.npy")
    array.write_bytes(array.read_bytes()[:200])
    np.testing.assert_array_equal(features(model, exam).values, before)
    first.snapshots.joinpath("small_iter_20.caffemodel").unlink()
    first.write(structs.replace(first.read(), snapshots=()))
    add_snapshot(first, 20, seed=99)
    other = features(load(settings(), snapshot="gen1/iter_20", tell=False), exam)
    assert not np.allclose(other.values, before)


def test_another_blob(project):
    first, *_ = make_three(project)
    model = load(settings(), snapshot="gen1/best", tell=False)
    exam = Records(generation=first, split="test")
    assert features(model, exam, blob="conv").values.shape == (12, 6 * 7 * 7)
    with pytest.raises(NetError, match="has no blob 'cnov'"):
        features(model, exam, blob="cnov")


def test_nothing_readable(project):
    make_three(project)
    Path("empty.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"no picture in empty\.png can be read"):
        features(load(settings()), of_unlabelled(Path("empty.png")))


def test_half_precision_has_ends():
    values = np.array([[[1.0, 1e9]], [[-1e9, 0.1]]], np.float32)
    np.testing.assert_array_equal(halved(values), np.array([[1, 65504], [-65504, 0.1]], np.float16))

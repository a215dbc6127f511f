"""Answers: of the right pictures, in the order of their paths, whatever the engine and the batches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from one_generation import make_one
from three_generations import settings

from workflow.errors import DataError, NetError
from workflow.exams import answers, exam, passes
from workflow.exams.answers import Answers
from workflow.formats import caffe_pb2
from workflow.generations import Generation
from workflow.models.loading import load


@pytest.fixture
def one(project: Path) -> Generation:
    return make_one(project)


def test_each_answer_belongs_to_its_picture(one: Generation) -> None:
    model = load(settings())
    told: list[tuple[int, int]] = []
    found = answers.observe(
        model, exam.of_generation(one, model), blobs=["pool"], progress=lambda *state: told.append(state)
    )
    assert (found.snapshot, found.exam, found.classes) == ("gen1/iter_20", "gen1 test", ("circle", "cross", "empty"))
    paths = [picture.path for picture in found.pictures]
    assert paths == sorted(paths)
    assert told[-1] == (14, 14)
    assert found.blobs["pool"].shape == (14, 6, 3, 3)
    with model.open() as session:
        for index, picture in enumerate(found.pictures):
            blobs = model.forward(session, [model.read(Path(picture.path))])
            assert found.probabilities[index] == pytest.approx(model.probabilities(blobs)[0], abs=1e-6)
            assert found.blobs["pool"][index] == pytest.approx(blobs["pool"][0], abs=1e-5)
            assert found.classes[found.truth[index]] == Path(picture.path).parent.name


def test_engines_and_batches_do_not_matter(one: Generation, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(settings())
    whole = answers.observe(model, exam.of_generation(one, model), engine="numpy")
    monkeypatch.setattr(passes, "BATCH", 3)
    parts = answers.observe(model, exam.of_labelled(Path("images/test")), engine="torch")
    assert list(whole.pictures) == list(parts.pictures)
    assert whole.probabilities == pytest.approx(parts.probabilities, abs=1e-5)


def test_what_is_derived() -> None:
    pictures = [exam.Picture(str(index), "00", truth) for index, truth in enumerate(["cat", "dog", None, "fox"])]
    shares = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.4, 0.4, 0.2], [0.2, 0.7, 0.1]], np.float32)
    found = Answers(snapshot="s", exam="e", classes=("cat", "dog", "eel"), pictures=pictures, probabilities=shares)
    assert found.predicted.tolist() == [0, 2, 0, 1]
    assert found.truth.tolist() == [0, 1, -1, -1]
    assert found.correct.tolist() == [True, False, False, False]
    assert found.confidence == pytest.approx([0.5, 0.8, 0.4, 0.7])
    assert found.margin == pytest.approx([0.2, 0.7, 0.0, 0.5])
    assert replace(found, probabilities=np.ones((4, 1), np.float32)).margin.tolist() == [1, 1, 1, 1]


def test_skipped_files_are_told_by_path_and_are_no_answers(one: Generation) -> None:
    for name in ("9.png", "1.txt"):
        Path("images/test/cross", name).write_text("no picture")
    model = load(settings())
    found = answers.observe(model, exam.of_labelled(Path("images/test")))
    assert len(found.pictures) == len(found.probabilities) == 14
    assert [one.path.name for one in found.skipped] == ["1.txt", "9.png"]


def test_nothing_readable(one: Generation, project: Path) -> None:
    (project / "bad" / "cat").mkdir(parents=True)
    (project / "bad" / "cat" / "a.png").write_bytes(b"")
    with pytest.raises(DataError, match="no picture in bad can be read") as caught:
        answers.observe(load(settings()), exam.of_labelled(Path("bad")))
    assert caught.value.hint == "bad/cat/a.png is empty"


def test_blobs_and_probabilities_that_the_net_does_not_have(one: Generation) -> None:
    model = load(settings())
    with pytest.raises(NetError, match="has no blob 'pool9'"):
        answers.observe(model, exam.of_generation(one, model), blobs=["pool9"])
    plain = caffe_pb2.NetParameter()
    plain.CopyFrom(model.net)
    del plain.layer[-1]
    with pytest.raises(NetError, match="has no Softmax layer"):
        answers.observe(replace(model, net=plain, output=None), exam.of_generation(one, model))

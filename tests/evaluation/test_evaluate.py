"""An evaluation's numbers, files and warnings."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from one_generation import make_one
from three_generations import settings

from workflow.config import Config
from workflow.errors import DataError, FindingError
from workflow.evaluation import evaluate as scoring
from workflow.evaluation.evaluate import COLUMNS, evaluate, write, write_predictions
from workflow.evaluation.result import Evaluation
from workflow.exams import exam
from workflow.exams.answers import Answers
from workflow.exams.overlap import trained_on
from workflow.exams.picture import Picture
from workflow.generations import Generation
from workflow.models.loading import load

CLASSES = ("circle", "cross", "empty")


@pytest.fixture
def one(project: Path) -> Generation:
    return make_one(project)


def recorded(one: Generation, accuracy: float) -> None:
    record = one.read()
    snapshots = [structs.replace(snapshot, test_accuracy=accuracy) for snapshot in record.snapshots]
    one.write(structs.replace(record, snapshots=tuple(snapshots)))


def of(truths: list[str | None], predicted: list[str], shares: list[float]) -> Evaluation:
    """An evaluation of these answers."""
    rows = np.full((len(truths), 3), 0.0, np.float32)
    for row, name, share in zip(rows, predicted, shares, strict=True):
        row[:] = (1 - share) / 2
        row[CLASSES.index(name)] = share
    pictures = [Picture(f"{index}.png", f"{index:064x}", truth) for index, truth in enumerate(truths)]
    found = Answers(snapshot="gen1/iter_20", exam="e", classes=CLASSES, pictures=pictures, probabilities=rows)
    return Evaluation(answers=found, unknown={}, recorded=None, overlap=None, apart=None)


def test_each_picture_counts_once(one: Generation) -> None:
    found = evaluate(load(settings()), exam.asked(Config(), load(settings())))
    answers = found.answers
    right = sum(
        answers.classes[said] == one.truth for said, one in zip(answers.predicted, answers.pictures, strict=True)
    )
    assert (found.score.correct, found.score.count) == (right, 14)
    assert found.confusion.sum() == 14
    assert found.confusion.trace() == right
    assert found.confusion.sum(1).tolist() == [5, 5, 4]


def test_json_has_what_was_promised() -> None:
    found = of(["circle", "circle", "cross", "fox"], ["circle", "cross", "cross", "cross"], [0.9, 0.6, 0.8, 0.9])
    document = json.loads(json.dumps(found.json(), allow_nan=False))
    assert (document["accuracy"], document["count"], document["correct"]) == (pytest.approx(2 / 3), 3, 2)
    assert document["confusion"] == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert document["classes"] == list(CLASSES)
    low, high = document["interval"]
    assert low < 2 / 3 < high
    assert document["per_class"]["cross"] == {
        "count": 1,
        "predicted": 2,
        "precision": 0.5,
        "recall": 1.0,
        "f1": pytest.approx(2 / 3),
    }
    assert document["per_class"]["empty"] == {"count": 0, "predicted": 0, "precision": None, "recall": None, "f1": None}
    assert document["balanced_accuracy"] == 0.75
    assert document["ece"] == pytest.approx((0.1 + 0.6 + 0.2) / 3, abs=1e-6)
    assert len(document["calibration"]) == 15
    assert [row["answered"] for row in document["thresholds"]] == [3, 3, 3, 2, 2, 1, 0, 0]
    assert document["thresholds"][-1]["accuracy"] is None
    assert document["thresholds"][3]["per_class"]["circle"] == {"precision": 1.0, "recall": 0.5}
    assert document["predictions"] is None


def test_what_is_written(one: Generation, project: Path) -> None:
    model = load(settings())
    found = write(project / "out", evaluate(model, exam.asked(Config(), model)))
    assert found.predictions == project / "out" / "predictions.csv"
    assert json.loads((project / "out" / "evaluation.json").read_text()) == found.json()
    with found.predictions.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == [*COLUMNS, *CLASSES]
    assert len(rows) == 15
    for index, row in enumerate(rows[1:]):
        picture = found.answers.pictures[index]
        assert row[:3] == [picture.path, picture.sha256, picture.truth]
        shares = [float(cell) for cell in row[6:]]
        assert row[3] == CLASSES[int(np.argmax(shares))]
        assert float(row[4]) == pytest.approx(max(shares))
        assert float(row[5]) == pytest.approx(sorted(shares)[-1] - sorted(shares)[-2], abs=1e-5)
        assert sum(shares) == pytest.approx(1, abs=1e-5)


def test_odd_names_in_the_table(project: Path) -> None:
    found = of(["circle", None], ["circle", "cross"], [0.9, 0.6]).answers
    odd = [Picture('a, "b"\n.png', "0" * 64, "true"), Picture("caf\udce9.png", "1" * 64, None)]
    write_predictions(Path("t.csv"), replace(found, classes=("true", "path", "fox"), pictures=odd))
    with Path("t.csv").open(newline="", errors="surrogateescape") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [one.path for one in odd]
    assert [row["true"] for row in rows] == ["true", ""]
    assert [float(rows[0][name]) for name in ("p(true)", "p(path)", "fox")] == pytest.approx([0.9, 0.05, 0.05])


def test_it_agrees_with_the_solvers_own_test_to_the_last_picture(
    one: Generation, caplog: pytest.LogCaptureFixture
) -> None:
    model = load(settings())
    pose = exam.asked(Config(), model)
    right = evaluate(model, pose).score.correct
    for wrong in (-1, 1):
        recorded(one, (right + wrong) / 14)
        caplog.clear()
        assert evaluate(model, pose).recorded == (right + wrong) / 14
        assert "but the solver's own test says" in caplog.text
    recorded(one, round(right / 14, 6))  # as the log has it
    caplog.clear()
    evaluate(model, pose)
    assert "solver" not in caplog.text
    assert evaluate(model, exam.of_labelled(Path("images/train"))).recorded is None


def test_e01_classes_without_predictions_or_pictures(caplog: pytest.LogCaptureFixture) -> None:
    scoring._warn(of(["circle", "empty"], ["circle", "circle"], [0.9, 0.9]))
    assert caplog.messages == ["no picture of 'cross'; recall n/a", "no prediction for 'empty'; precision n/a"]


def test_the_best_constant_answer_stands_beside_the_accuracy() -> None:
    found = of(["circle"] * 6 + ["cross"] * 2, ["circle"] * 8, [0.9] * 8)
    assert found.json()["always"] == {
        "class": "circle",
        "accuracy": 0.75,
        "words": "always answering 'circle' would score 0.7500",
    }
    assert found.chance == 0.75
    assert of([], [], []).always is None


def test_exchanged_labels_are_below_chance(caplog: pytest.LogCaptureFixture) -> None:
    swapped = of(["circle"] * 20 + ["cross"] * 20, ["cross"] * 18 + ["circle"] * 20 + ["cross"] * 2, [0.9] * 40)
    assert (swapped.score.accuracy, swapped.chance) == (0.1, 0.5)
    scoring._warn(swapped)
    assert "accuracy 0.1000 is below chance (0.5000): the labels of these pictures are probably swapped" in caplog.text
    caplog.clear()
    scoring._warn(of(["circle", "cross"], ["cross", "circle"], [0.9] * 2))  # two pictures prove nothing
    assert "chance" not in caplog.text


def test_e02_pictures_that_were_trained_on(one: Generation, caplog: pytest.LogCaptureFixture) -> None:
    for split, name, number in (("train", "cross", 3), ("train", "circle", 1), ("test", "circle", 2)):
        target = Path("mixed") / name / f"{split}{number}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path("images", split, name, f"{number}.png"), target)
    model = load(settings())
    found = evaluate(model, exam.of_labelled(Path("mixed")))
    assert found.overlap == 2
    assert found.apart is not None
    (index,) = [index for index, picture in enumerate(found.answers.pictures) if "test" in picture.path]
    assert (found.apart.correct, found.apart.count) == (int(found.answers.correct[index]), 1)
    assert f"2 of 3 pictures were in training; accuracy without them {found.apart.accuracy:.4f}" in caplog.messages
    assert found.json()["without_overlap"]["count"] == 1
    assert trained_on(one, found.answers.pictures).tolist() == [
        "train" in picture.path for picture in found.answers.pictures
    ]
    Path("mixed/circle/test2.png").unlink()
    assert evaluate(model, exam.of_labelled(Path("mixed"))).json()["without_overlap"]["accuracy"] is None
    assert "2 of 2 pictures were in training; none is left without them" in caplog.messages
    own = evaluate(model, exam.asked(Config(), model))
    assert (own.overlap, own.apart) == (None, None)
    assert evaluate(model, exam.of_labelled(Path("images/test"))).overlap == 0


def test_classes_that_the_snapshot_does_not_know(one: Generation, caplog: pytest.LogCaptureFixture) -> None:
    Path("images/test/circle").rename("images/test/Circle")
    model = load(settings())
    found = evaluate(model, exam.of_labelled(Path("images/test")))
    assert found.score.count == 9
    assert found.unknown == {"Circle": 5}
    assert "gen1/iter_20 does not know class 'Circle': 5 pictures left out" in caplog.messages
    assert len(found.answers.pictures) == 14
    for name in ("cross", "empty"):
        shutil.rmtree(f"images/test/{name}")
    with pytest.raises(DataError, match="knows none of the classes in images/test: 'Circle'") as caught:
        evaluate(model, exam.of_labelled(Path("images/test")))
    assert caught.value.hint == "did you mean 'circle'?"
    with pytest.raises(DataError, match="no picture in images/test has a label"):
        evaluate(model, exam.of_unlabelled(Path("images/test")))


def test_e03_too_low() -> None:
    found = of(["circle", "circle", "cross", "cross"], ["circle", "cross", "cross", "cross"], [0.9] * 4)
    found.require(0.75)
    with pytest.raises(FindingError, match=r"accuracy 0\.7500 < 0\.8") as caught:
        found.require(0.8)
    assert (caught.value.fault, caught.value.exit_code) == ("E03", 1)


def test_nothing_is_said_of_an_exam_without_faults(caplog: pytest.LogCaptureFixture) -> None:
    scoring._warn(of(["circle", "cross", "empty"], ["circle", "cross", "empty"], [0.9] * 3))
    assert not caplog.messages

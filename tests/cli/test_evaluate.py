"""wf evaluate."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from running import Run

KEPT = Path("generations/gen1/evaluation/iter_2/gen1-test")


def test_json_and_agreement_with_the_solver(trained: Run) -> None:
    solver = Path("prototxt/cifar10_quick_solver.prototxt")
    solver.write_text(re.sub(r"test_interval: \d+", "test_interval: 2", solver.read_text()))
    trained("train", "--fresh", "--max-iter", "2")
    record = json.loads(Path("generations/gen1/generation.json").read_text())
    ran = trained("evaluate", "--part", "validation", "--json")
    solver_accuracy = record["snapshots"][-1]["validation_accuracy"]
    assert ran.json["accuracy"] == pytest.approx(solver_accuracy, abs=1e-6)
    assert ran.json["solver_accuracy"] == solver_accuracy
    assert "solver" not in ran.err
    document = trained("evaluate", "--json").json
    assert document["accuracy"] == pytest.approx(record["snapshots"][-1]["test_accuracy"], abs=1e-6)
    assert document["count"] == sum(record["counts"]["test"].values())
    assert document["classes"] == ["character", "other"]
    assert sum(map(sum, document["confusion"])) == document["count"]
    assert set(document) >= {"interval", "per_class", "ece", "predictions", "thresholds", "snapshot"}
    with Path(document["predictions"]).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["path", "sha256", "true", "predicted", "probability", "margin", "character", "other"]
    assert Path(document["pictures"]["confusion"]) == KEPT / "confusion.png"
    written = json.loads((KEPT / "evaluation.json").read_text())
    assert written.items() <= document.items()


def test_tables_for_people(trained: Run) -> None:
    lines = trained("evaluate").out.splitlines()
    assert lines[0].startswith("gen1/iter_2 on gen1 test: ")
    assert lines[1].startswith("  accuracy")
    assert "95 % interval" in lines[1]
    assert "always answering" in lines[2]
    assert "class      pictures  precision  recall      F1" in lines
    assert "confusion: a row for each true class, a column for each predicted class" in lines
    assert "threshold  answered   share  wrong  accuracy" in lines
    assert "threshold  character: precision  recall  other: precision  recall" in lines
    assert max(map(len, lines)) <= 80
    assert lines[-1] == f"confusion    {KEPT / 'confusion.png'}"


def test_e03_below_the_least_accuracy_results_are_still_there(trained: Run) -> None:
    low = trained("evaluate", "--json")
    assert trained("evaluate", "--min-accuracy", str(low.json["accuracy"])).code == 0
    Path("images/other/0000.png").rename("images/character/x.png")  # at least one is wrong now
    ran = trained("evaluate", "images", "--min-accuracy", "1", "--out", "out", "--json", code=1)
    assert ran.json["accuracy"] < 1
    assert "< 1, the minimum" in ran.err
    assert Path("out/predictions.csv").is_file()
    assert Path("out/confusion.png").is_file()
    assert trained("evaluate", "--min-accuracy", "1.5", code=2).err


def test_a_folder_that_was_trained_on(trained: Run) -> None:
    Path("images/other/broken.png").write_bytes(b"")
    ran = trained("evaluate", "images")
    assert "were in training; accuracy without them" in ran.err
    assert "skipped images/other/broken.png: it is empty" in ran.err
    assert "  without overlap" in ran.out
    assert "pictures that it was trained on" in ran.out


def test_many_skipped_files_are_counted(trained: Run) -> None:
    for number in range(9):
        Path(f"images/other/broken{number}.png").write_bytes(b"")
    ran = trained("evaluate", "images")
    assert ran.err.count("it is empty") == 5
    assert "skipped 4 more files" in ran.err


def test_a_model_from_elsewhere(trained: Run) -> None:
    snapshot = next(Path("generations/gen1/snapshots").glob("*.caffemodel"))
    Path("other.caffemodel").write_bytes(snapshot.read_bytes())
    Path("labels.txt").write_text("character\nother\n")
    flags = ["--snapshot", "other.caffemodel", "--net", "generations/gen1/prototxt/deploy.prototxt"]
    flags += ["--mean", "generations/gen1/dataset/mean.binaryproto", "--labels", "labels.txt"]
    assert "--out DIR" in trained("evaluate", *flags, code=2).err
    ours = trained("evaluate", "--json").json
    theirs = trained("evaluate", *flags, "--out", "out", "--json").json
    assert theirs["confusion"] == ours["confusion"]
    assert theirs["solver_accuracy"] is None


def test_wrong_folders(trained: Run) -> None:
    assert "no such folder: imags" in trained("evaluate", "imags", code=2).err
    assert "evaluate" in trained("--help").out


def test_folds(three: Run) -> None:
    document = three("evaluate", "--folds", "2", "--json").json
    assert [one["snapshot"] for one in document["folds"]] == ["iter_20", "iter_20"]
    pictures = json.loads(Path("generations/gen3/generation.json").read_text())["counts"]
    assert document["count"] == sum(sum(classes.values()) for classes in pictures.values())
    ran = three("evaluate", "--folds", "2")
    assert "each judged by a net that had not seen it" in ran.out
    assert "nothing to do" not in ran.err
    assert three("evaluate", "--folds", "2", "--min-accuracy", "1", code=1).err.startswith("fold 1 of 2")
    assert "no FOLDER, --snapshot or --part" in three("evaluate", "images", "--folds", "2", code=2).err

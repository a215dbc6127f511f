"""wf diff on real generations: which exam, what is left out, what all generations say."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from PIL import Image
from three_generations import ROOT, add_snapshot, make_three, settings

from workflow.config import Config
from workflow.errors import DataError, UsageError
from workflow.evaluation.diff import diff
from workflow.evaluation.seed_spread import comparable_reruns, recorded_band
from workflow.exams import cache
from workflow.exams.exam import of_generation
from workflow.generations import Generation, generation
from workflow.generations.record import Training
from workflow.models.loading import load
from workflow.report import diff as diff_files


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_three(folder)
    return folder


@pytest.fixture
def three(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    return folder


def add_rerun(one: Generation, seed: int, *, accuracy: float) -> Generation:
    """A rerun as `wf train --seeds` leaves it."""
    rerun = one.rerun(seed)
    shutil.copytree(one.folder / "prototxt", rerun.folder / "prototxt")
    rerun.write(structs.replace(one.read(), snapshots=(), training=Training()))
    for iteration in (10, 20):
        add_snapshot(rerun, iteration, accuracy=accuracy if iteration == 20 else 0.1, seed=seed + iteration)
    text = rerun.prototxt("solver").read_text()
    rerun.prototxt("solver").write_text(text.replace("random_seed: 5", f"random_seed: {seed}"))
    return rerun


def test_both_sit_the_newer_ones_test_set(three: Path) -> None:
    found = diff(settings(), "gen2", "gen3")
    one = found.comparison
    assert (one.before, one.after, one.exam) == ("gen2/iter_20", "gen3/iter_20", "gen3 test")
    assert one.count == 25
    own = [load(settings(), snapshot=f"gen{n}/best") for n in (2, 3)]
    exam = [cache.answers(model, of_generation(generation(Config(), 3), model)) for model in own]
    assert one.right == tuple(int(answers.correct.sum()) for answers in exam)
    assert (len(one.fixed), len(one.broken)) == (
        int((~exam[0].correct & exam[1].correct).sum()), int((exam[0].correct & ~exam[1].correct).sum()),
    )  # fmt: skip
    assert diff(settings(), "gen3", "gen2").comparison.exam == "gen3 test"


def test_what_either_was_trained_on_is_left_out_and_said(three: Path) -> None:
    found = diff(settings(), "gen1", "gen3", exam="gen1")
    assert found.left_out == 1  # circle 0, which gen3 trains on
    assert found.excluded == {"gen3/iter_20": 1}
    assert found.comparison.count == 11
    paths = found.comparison.fixed + found.comparison.broken + found.comparison.still_wrong
    assert "images/test/circle/0.png" not in [case.path for case in paths]
    assert found.json()["trained_on"] == {"gen3/iter_20": 1}


def test_another_own_test_set_is_said(three: Path) -> None:
    own = {one.generation: one for one in diff(settings(), "gen1", "gen3").own}
    assert list(own) == ["gen1"]
    assert (own["gen1"].pictures, own["gen1"].shared, own["gen1"].relabelled) == (12, 11, 0)
    assert [one.generation for one in diff(settings(), "gen1", "gen3", exam="2").own] == ["gen1", "gen3"]


def test_snapshots_of_one_generation_have_one_exam(three: Path) -> None:
    found = diff(settings(), "gen3/iter_10", "gen3/iter_20", history=False)
    assert found.own == ()
    assert found.left_out == 0
    assert found.sittings == found.flips == ()


def test_a_class_that_the_older_one_does_not_know(three: Path) -> None:
    found = diff(settings(), "gen1", "gen3")
    assert found.comparison.unknown == {"gen1/iter_20": {"empty": 4}}
    sat = {sitting.generation: sitting.score[1] for sitting in found.sittings}
    assert sat == {"gen1": 21, "gen2": 25, "gen3": 25}


def test_pictures_that_go_to_and_fro(three: Path) -> None:
    found = diff(settings(), "gen2", "gen3")
    said = {}
    for number in (1, 2, 3):
        model = load(settings(), snapshot=f"gen{number}/best", tell=False)
        answers = cache.answers(model, of_generation(generation(Config(), 3), model))
        for index, picture in enumerate(answers.pictures):
            if picture.truth in model.classes:
                said.setdefault(picture.path, []).append(bool(answers.correct[index]))
    expected = {path for path, right in said.items() if right in ([True, False, True], [False, True, False])}
    assert {flip.path for flip in found.flips} == expected
    assert expected
    assert all(list(flip.right.values()) == said[flip.path] for flip in found.flips)
    document = found.json()["flip_flopping"][0]
    assert document["changes"] == 2
    assert list(document["right"]) == ["gen1", "gen2", "gen3"]


def test_a_labelled_folder(three: Path) -> None:
    rng = np.random.default_rng(1)
    for name in ("circle", "cross"):
        (three / "new" / name).mkdir(parents=True)
        for index in range(3):
            pixels = rng.integers(0, 255, (9, 8, 3), np.uint8)
            Image.fromarray(pixels).save(three / "new" / name / f"{index}.png")
    shutil.copy(three / "images/train/cross/3.png", three / "new/cross/known.png")
    found = diff(settings(), "gen2", "gen3", folder=Path("new"))
    assert (found.comparison.exam, found.comparison.count, found.left_out) == ("new", 6, 1)
    assert found.excluded == {"gen2/iter_20": 1, "gen3/iter_20": 1}
    assert {one.generation for one in found.own} == {"gen2", "gen3"}
    with pytest.raises(UsageError, match="--exam and --folder cannot be used together"):
        diff(settings(), "gen2", "gen3", exam="gen2", folder=Path("new"))
    with pytest.raises(DataError, match="no picture of images/train is left"):
        diff(settings(), "gen3", "gen3", folder=Path("images/train"))


def test_wrong_names(three: Path) -> None:
    with pytest.raises(UsageError, match="generation 7 not found"):
        diff(settings(), "gen7", "gen3")
    with pytest.raises(UsageError, match="no generation 'newest'"):
        diff(settings(), "gen2", "gen3", exam="newest")
    with pytest.raises(UsageError, match=r"was not trained with seed 4 \(further seeds: none\)"):
        diff(settings(), "gen3/seed_4", "gen3")


def test_a_generation_that_cannot_sit_is_left_out_of_the_history(three: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = generation(Config(), 1)
    (one.folder / one.read().snapshots[1].model).write_bytes(b"\x01")
    assert [sitting.generation for sitting in diff(settings(), "gen2", "gen3").sittings] == ["gen2", "gen3"]
    assert "gen1 is left out of the history" in caplog.text


def test_a_generation_whose_data_set_is_gone(three: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.rmtree(generation(Config(), 2).folder / "dataset" / "train_lmdb")
    generation(Config(), 2).manifest.unlink()
    with pytest.raises(DataError, match=r"images\.jsonl"):
        diff(settings(), "gen2", "gen3", exam="gen2")
    shutil.copy(generation(Config(), 3).mean, generation(Config(), 2).mean)
    assert diff(settings(), "gen2", "gen3").comparison.count == 25
    assert "the training pictures of gen2 are unknown" in caplog.text


# ---- seeds ----


def test_the_band_of_the_seeds_on_the_exam(three: Path) -> None:
    one = generation(Config(), 3)
    for seed in (6, 7):
        add_rerun(one, seed, accuracy=0.5 + seed / 100)
    found = diff(settings(), "gen2", "gen3")
    assert list(found.bands) == ["after"]
    values = found.bands["after"].values
    assert list(values) == ["gen3", "gen3/seed_6", "gen3/seed_7"]
    assert values["gen3"] == pytest.approx(found.comparison.right[1] / 25)
    assert found.verdict.seed_p_value is not None
    assert "over 3 seeds" in found.verdict.words
    assert found.json()["seeds"]["after"]["values"] == values
    recorded = recorded_band(one)
    assert recorded is not None
    assert recorded.values == {"gen3": 0.6, "gen3/seed_6": pytest.approx(0.56), "gen3/seed_7": pytest.approx(0.57)}
    among = diff(settings(), "gen3/seed_6", "gen3/seed_7")  # seeds of one generation
    assert (among.comparison.before, among.comparison.count) == ("gen3/seed_6/iter_20", 25)
    assert set(diff(settings(), "gen3/iter_10", "gen3/iter_20").bands["before"].values) == set(values)


def test_reruns_that_are_not_comparable(three: Path) -> None:
    one = generation(Config(), 3)
    short, other, good = (add_rerun(one, seed, accuracy=0.5) for seed in (6, 7, 8))
    record = short.read()
    short.write(structs.replace(record, snapshots=record.snapshots[:1]))  # was stopped early
    text = other.prototxt("solver").read_text()
    other.prototxt("solver").write_text(text.replace("base_lr: 0.02", "base_lr: 0.01"))
    assert comparable_reruns(one) == [good]
    one.prototxt("solver").unlink()
    assert comparable_reruns(one) == []


# ---- files ----


def test_the_files(three: Path) -> None:
    found = diff(settings(), "gen2", "gen3")
    assert found.folder is not None
    assert found.folder.relative_to(ROOT).as_posix() == "gen3/evaluation/iter_20/gen3-test/diff-gen2-iter_20"
    (three / "images/test/circle/1.png").unlink()  # shown as missing
    files = diff_files.write_diff(found.folder, found)
    assert json.loads(files["json"].read_text())["p_value"] == found.comparison.p_value
    with files["csv"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == diff_files.COLUMNS
    assert [row["path"] for row in rows if row["change"] == "broken"] == [case.path for case in found.comparison.broken]
    assert len(rows) == sum(len(found.json()[change]) for change in ("fixed", "broken", "still_wrong"))
    with Image.open(files["sheet"]) as board:
        assert board.width > 400
        assert board.height > 300


def test_a_sheet_of_nothing_says_so(three: Path) -> None:
    same = diff(settings(), "gen3", "gen3", history=False)
    board = diff_files.draw_diff(same.comparison)
    assert np.asarray(board).min() < 100  # two headings
    assert board.height < 100

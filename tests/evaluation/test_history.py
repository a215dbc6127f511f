"""wf log's chain, wf blame, and the trend picture."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from PIL import Image
from three_generations import ROOT, draw, make_three, settings

from workflow.config import Config
from workflow.data.prepare import prepare
from workflow.errors import DataError, UsageError
from workflow.evaluation.changes import renamed
from workflow.evaluation.history import chain
from workflow.evaluation.metrics import interval
from workflow.evaluation.picture_history import blame
from workflow.exams.predict import predict
from workflow.generations import generation
from workflow.models.loading import load
from workflow.report.trend import draw_trend


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


def test_the_chain_tells_what_was_done(three: Path) -> None:
    entries = chain(settings())
    assert [one.generation.name for one in entries] == ["gen1", "gen2", "gen3"]
    assert [one.record.parent for one in entries] == [None, 1, 2]
    facts = [json.loads(json.dumps(one.json())) for one in entries]
    counts = [[one["changes"][key] for key in ("added", "removed", "relabelled", "to_train")] for one in facts]
    assert counts == [[28, 0, 0, 0], [17, 1, 0, 0], [10, 0, 1, 1]]
    assert facts[1]["changes"]["added_by_class"] == {"circle": 4, "cross": 4, "empty": 9}
    assert facts[1]["changes"]["removed_pictures"] == ["images/train/circle/0.png"]
    assert facts[2]["changes"]["relabelled_pictures"] == [
        {"path": "images/train/cross/was_a_circle.png", "before": "circle", "after": "cross"}
    ]
    assert [one["new_classes"] for one in facts] == [[], ["empty"], []]
    assert facts[2]["pictures"] == {"train": 29, "test": 25}
    assert facts[2]["best"] == "iter_20"
    assert facts[2]["interval"] == pytest.approx(interval(15, 25))
    assert [one["iteration"] for one in facts[2]["snapshots"]] == [10, 20]
    assert facts[0]["seeds"] is facts[0]["exam"] is None


def test_the_same_exam_for_all(three: Path) -> None:
    entries = chain(settings(), exam=generation(Config(), 1))
    scores = [one.sitting.score[1] for one in entries if one.sitting is not None]
    assert scores == [11, 11, 11]  # one of the twelve is a training picture of the last
    assert entries[2].json()["exam"]["pictures"] == 11


def test_generations_whose_pictures_are_gone_or_whose_record_is_damaged(
    three: Path, caplog: pytest.LogCaptureFixture
) -> None:
    generation(Config(), 2).manifest.unlink()
    entries = chain(settings())
    assert [one.changes is None for one in entries] == [False, True, True]
    assert entries[1].new_classes == ("empty",)
    generation(Config(), 1).record_path.write_text("{}")
    assert [one.generation.number for one in chain(settings())] == [2, 3]
    assert "gen1 is ignored" in caplog.text
    shutil.rmtree(ROOT)
    with pytest.raises(UsageError, match="is not a wf project"):
        chain(settings())


def test_a_renamed_class_is_no_other_class() -> None:
    assert renamed(("cat", "dog"), ("cat", "hound", "owl")) == {"dog": "hound"}
    assert renamed(("cat", "dog"), ("dog", "cat")) == {}
    assert renamed(("cat", "dog"), ("cat",)) == {}


def test_renaming_relabels_nothing(three: Path) -> None:
    for split in ("train", "test"):
        (three / "images" / split / "cross").rename(three / "images" / split / "plus")
    prepare(settings(), rename_classes={"cross": "plus"})
    last = chain(settings())[-1]
    assert last.renamed_classes == {"cross": "plus"}
    assert last.changes is not None
    assert (last.changes.added, last.changes.removed, last.changes.relabelled) == ({}, (), ())
    assert last.accuracy is None
    found = blame(settings(), Path("images/train/plus/3.png"))
    assert [one.event for one in found.entries] == ["added"]
    assert found.silent == ("gen4",)


# ---- blame ----


def test_a_relabelled_picture(three: Path) -> None:
    found = blame(settings(), Path("images/train/cross/was_a_circle.png"))
    assert [(one.generation, one.event, one.label) for one in found.entries] == [
        ("gen1", "added", "circle"), ("gen3", "relabelled", "cross"),
    ]  # fmt: skip
    facts = json.loads(json.dumps(found.json()))
    assert (facts["brought_by"], facts["first_label"], facts["label"]) == ("gen1", "circle", "cross")
    assert [one["true"] for one in facts["answers"]] == ["circle", "circle", "cross"]
    assert [one["split"] for one in facts["answers"]] == ["train"] * 3
    model = load(settings(), snapshot="gen2/best")
    told = predict(model, [Path("images/train/cross/was_a_circle.png")]).predictions[0]
    assert facts["answers"][1]["label"] == told.label
    assert facts["answers"][1]["probability"] == pytest.approx(told.probability)


def test_a_picture_is_known_by_its_bytes_wherever_it_lies(three: Path) -> None:
    shutil.copy(three / "images/train/circle/was_a_test.png", three / "elsewhere.png")
    found = blame(settings(), Path("elsewhere.png"))
    assert [(one.generation, one.event, one.split) for one in found.entries] == [
        ("gen1", "added", "test"), ("gen3", "moved", "train"),
    ]  # fmt: skip
    assert found.entries[0].path == "images/test/circle/0.png"


def test_a_removed_picture_and_one_that_nobody_has(three: Path) -> None:
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 255, (9, 8, 3), np.uint8)).save("new.png")
    found = blame(settings(), Path("new.png"))
    assert found.entries == ()
    assert found.brought_by is None
    assert [one.right for one in found.opinions] == [None] * 3
    draw(three / "old", "train", "circle", 0, 1)  # gen1 had it, gen2 not
    found = blame(settings(), Path("old/train/circle/0.png"))
    assert [(one.generation, one.event) for one in found.entries] == [("gen1", "added"), ("gen2", "removed")]
    assert [one.truth for one in found.opinions] == ["circle"] * 3
    assert [one.split for one in found.opinions] == ["train", None, None]


def test_blame_of_what_is_no_picture(three: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UsageError, match="images/train/cross/33.png does not exist") as caught:
        blame(settings(), Path("images/train/cross/33.png"))
    assert "3.png" in (caught.value.hint or "")
    Path("text.png").write_text("no picture")
    with pytest.raises(DataError, match="text.png"):
        blame(settings(), Path("text.png"))
    one = generation(Config(), 1)
    (one.folder / one.read().snapshots[1].model).write_bytes(b"\x01")
    assert blame(settings(), Path("images/train/cross/3.png")).silent == ("gen1",)
    assert "gen1 is skipped" in caplog.text


# ---- the picture ----


def test_the_trend_picture(three: Path) -> None:
    entries = chain(settings(), exam=generation(Config(), 3))
    draw_trend(entries, three / "out" / "trend.png", exam="gen3")
    with Image.open(three / "out" / "trend.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    above = pixels[: pixels.shape[0] * 7 // 10]  # without the bars below
    blue, red = ((np.abs(above - colour).sum(2) < 20).any(0) for colour in ((47, 111, 176), (209, 73, 91)))
    assert red.sum() > 250  # a line from the first generation to the last: one exam
    assert blue.sum() < 200  # dots: each another exam


def test_a_trend_is_drawn_again_only_when_it_shows_something_else(three: Path) -> None:
    out = three / "trend.png"
    entries = chain(settings())
    draw_trend(entries, out)
    first = out.stat().st_ino
    draw_trend(entries, out)
    assert out.stat().st_ino == first
    draw_trend(entries[:2], out)
    assert out.stat().st_ino != first
    out.write_bytes(b"no picture")
    draw_trend(entries[:2], out)
    with Image.open(out) as picture:
        assert picture.width >= 600


def test_a_trend_without_any_snapshot(three: Path) -> None:
    for number in (1, 2, 3):
        one = generation(Config(), number)
        one.write(structs.replace(one.read(), snapshots=()))
    draw_trend(chain(settings()), Path("trend.png"))
    with Image.open("trend.png") as picture:
        assert picture.width >= 600

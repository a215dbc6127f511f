"""Labels turned in a small separable problem are found, whatever the snapshot makes of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from made_once import made_once
from PIL import Image
from three_generations import ROOT, draw, next_generation, settings, write_prototxt

from workflow.config import Config
from workflow.curation.suspects import Suspects, folder, suspects
from workflow.data import corrections
from workflow.data.corrections import Correction
from workflow.errors import DataError, UsageError
from workflow.models.loading import load

TURNED = {"train/cross/9.png", "train/cross/31.png", "train/circle/5.png", "test/circle/2.png"}
"""Pictures of the other class."""


@pytest.fixture
def turned(project: Path) -> Path:
    turn(project)
    return project


@made_once
def turn(project: Path) -> None:
    """60 + 15 circles and crosses, four of which lie in the wrong folder, and a copy of a circle among the tests."""
    images = project / "images"
    write_prototxt(project)
    for name in ("circle", "cross"):
        draw(images, "train", name, 0, 60)
        draw(images, "test", name, 0, 15)
    other = {"circle": "cross", "cross": "circle"}
    for one in TURNED:
        split, name, file = one.split("/")
        shutil.move(images / split / name / file, images / split / other[name] / f"turned-{file}")
    copied = np.asarray(Image.open(images / "train" / "circle" / "7.png"))
    Image.fromarray(np.clip(copied.astype(int) + 2, 0, 255).astype(np.uint8)).save(images / "test/cross/copy.png")
    next_generation(project)


def find(**options: int) -> Suspects:
    return suspects(Config(), load(settings(), snapshot="best"), **options)


def test_turned_labels_come_first(turned: Path) -> None:
    found = find()
    assert found.pictures == 151
    names = [Path(one.picture.path).name for one in found.suspects]
    assert {name for name in names if name.startswith("turned")} == {f"turned-{number}.png" for number in (2, 5, 9, 31)}
    assert set(names[:5]) == {"turned-2.png", "turned-5.png", "turned-9.png", "turned-31.png", "copy.png"}
    first = found.suspects[0]
    assert first.suggested != first.label
    assert first.score > 0.5
    assert first.suggested in first.why
    scores = [one.score for one in found.suspects]
    assert scores == sorted(scores, reverse=True)
    assert {one.split for one in found.suspects[:5]} == {"train", "test"}
    assert len(found.suspects) <= 10  # 6 % of 151, rounded up


def test_the_document(turned: Path) -> None:
    document = find(top=2).json()
    assert len(document["suspects"]) == 2
    assert document["snapshot"] == "gen1/iter_20"
    assert set(document["suspects"][0]) == {"path", "sha256", "label", "suggested", "score", "split", "why"}
    assert document["decided"] == 0


def test_a_copy_in_the_other_class_is_told(turned: Path) -> None:
    twin = find().twins[0]
    assert {Path(twin.first.path).name, Path(twin.second.path).name} == {"7.png", "copy.png"}
    assert twin.kind == "across classes, across the split"
    doubted = next(one for one in find().suspects if Path(one.picture.path).name == "copy.png")
    assert doubted.why.startswith("twin of images/train/circle/7.png, which is 'circle'; ")


def test_decided_labels_are_not_listed_again(turned: Path) -> None:
    before = find()
    one, two = before.suspects[:2]
    corrections.add(
        ROOT,
        [
            Correction(sha256=one.picture.sha256, path=one.picture.path, label=one.label, refused=one.suggested),
            Correction(sha256=two.picture.sha256, path=two.picture.path, label=two.label, to=two.suggested),
        ],
    )
    after = find()
    assert [one.picture for one in after.suspects[: len(before.suspects) - 2]] == [
        one.picture for one in before.suspects[2:]
    ]
    assert after.decided == 2
    corrections.undo(ROOT)
    assert find().json() == before.json()


def test_progress_counts_pictures_once(turned: Path) -> None:
    told: list[tuple[int, int]] = []
    suspects(Config(), load(settings(), snapshot="best"), progress=lambda done, total: told.append((done, total)))
    assert {total for _, total in told} == {151}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (151, 151)


def test_the_folder_belongs_to_the_snapshot(turned: Path) -> None:
    assert folder(load(settings(), snapshot="best")) == ROOT / "gen1" / "evaluation" / "iter_20" / "suspects"


def test_too_few_pictures(project: Path) -> None:
    write_prototxt(project)
    for name in ("circle", "cross"):
        draw(project / "images", "train", name, 0, 2)
        draw(project / "images", "test", name, 0, 2)
    next_generation(project)
    with pytest.raises(DataError, match="gen1 has 8 pictures; too few"):
        find()


def test_a_model_from_elsewhere_has_no_labels_to_doubt(turned: Path) -> None:
    from dataclasses import replace

    stranger = replace(load(settings(), snapshot="best"), generation=None, iteration=None)
    with pytest.raises(UsageError, match="belongs to no generation"):
        suspects(Config(), stranger)
    with pytest.raises(UsageError, match="belongs to no generation"):
        folder(stranger)

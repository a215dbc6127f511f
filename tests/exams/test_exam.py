"""Exams: which pictures, in which order, with which pixels; what cannot be read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from one_generation import make_one
from PIL import Image
from three_generations import add_snapshot, settings

from workflow.config import Config
from workflow.data import manifest
from workflow.errors import DataError, UsageError
from workflow.exams import exam
from workflow.exams.exam import Records
from workflow.exams.files import Files
from workflow.exams.picture import Picture, digest
from workflow.generations import Generation
from workflow.models.loading import load
from workflow.models.model import Model

CLASSES = ("circle", "cross", "empty")


@pytest.fixture
def one(project: Path) -> Generation:
    """Generation 1: 24 pictures to train on, 14 to test with."""
    return make_one(project)


def asked(found: exam.Exam, model: Model, size: int = 4) -> tuple[list[Picture], np.ndarray]:
    batches = list(found.batches(model, size))
    assert all(len(batch.pictures) == len(batch.pixels) <= size for batch in batches)
    return [one for batch in batches for one in batch.pictures], np.concatenate([batch.pixels for batch in batches])


def test_records_come_in_the_order_of_the_manifest_with_the_pixels_of_their_files(one: Generation) -> None:
    model = load(settings())
    found = exam.of_generation(one, model)
    assert isinstance(found, Records)
    assert (found.name, found.count) == ("gen1 test", 14)
    pictures, pixels = asked(found, model)
    listed = [image for image in manifest.read(one) if image.split == "test"]
    assert [(picture.path, picture.sha256, picture.truth) for picture in pictures] == [
        (image.path, image.sha256, image.class_name) for image in listed
    ]
    for picture, given in zip(pictures, pixels, strict=True):
        assert np.array_equal(given, model.read(Path(picture.path)))
    assert exam.of_generation(one, model, "train").count == 24


def test_a_snapshot_with_another_preprocessing_is_shown_the_files(one: Generation) -> None:
    model = load(settings())
    other = replace(model, preprocessing=structs.replace(model.preprocessing, channel_order="BGR"))
    found = exam.of_generation(one, other)
    assert isinstance(found, Files)
    assert found.name == "gen1 test"  # it is the same exam
    pictures, pixels = asked(found, other)
    plain, rgb = asked(exam.of_generation(one, model), model)
    by_path = {picture.path: number for number, picture in enumerate(plain)}
    assert sorted(picture.path for picture in pictures) == sorted(by_path)
    for picture, given in zip(pictures, pixels, strict=True):
        assert np.array_equal(given[::-1], rgb[by_path[picture.path]])
    assert digest(pictures) == digest(plain)


def test_files_that_changed_since_or_cannot_be_read_are_set_aside(one: Generation) -> None:
    model = load(settings())
    other = replace(model, preprocessing=structs.replace(model.preprocessing, channel_order="BGR"))
    paths = sorted(Path("images/test/cross").iterdir())
    Image.new("RGB", (8, 9)).save(paths[0])
    paths[1].write_bytes(paths[1].read_bytes()[:60])
    paths[2].unlink()
    found = exam.of_generation(one, other)
    pictures, _ = asked(found, other)
    assert len(pictures) == 11
    assert not {picture.path for picture in pictures} & {str(path) for path in paths[:3]}
    reasons = {one.path: one.reason for one in found.skipped}
    assert reasons[paths[0]] == "has changed since it was prepared"
    assert "truncated" in reasons[paths[1]] or "damaged" in reasons[paths[1]]
    assert "does not exist" in reasons[paths[2]]
    assert len(asked(found, other)[0]) == 11  # asked again: no skipped file is listed twice
    assert len(found.skipped) == 3


def test_a_labelled_folder(one: Generation) -> None:
    model = load(settings())
    Path("images/test/cross/notes.txt").write_text("not a picture")
    found = exam.asked(Config(), model, folder=Path("images/test"))
    pictures, _ = asked(found, model)
    assert found.count == 15
    assert [one.path.name for one in found.skipped] == ["notes.txt"]
    assert {(Path(one.path).parent.name, one.truth) for one in pictures} == {(name, name) for name in CLASSES}
    assert digest(pictures) == digest(asked(exam.of_generation(one, model), model)[0])


def test_an_unlabelled_pile(one: Generation) -> None:
    model = load(settings())
    found = exam.of_unlabelled(Path("images/test/circle"), Path("images/test/cross/0.png"))
    pictures, pixels = asked(found, model, 100)
    assert len(pictures) == 6
    assert {picture.truth for picture in pictures} == {None}
    assert pixels.shape == (6, 3, 9, 8)


def test_of_a_set_with_parts_the_test_pictures_are_asked(one: Generation, caplog) -> None:
    whole = exam.of_labelled(Path("images"))
    assert isinstance(whole, Files)
    assert len(whole.files) == 14
    assert all(path.startswith("images/test/") for path, _ in whole.files)
    assert "the exam is the test pictures of images, without its training pictures" in caplog.messages


def test_what_is_asked_for_by_default(one: Generation, project: Path) -> None:
    add_snapshot(one, 30)
    model = load(settings())
    assert exam.asked(Config(), model).name == "gen1 test"
    assert exam.own_split(model, exam.asked(Config(), model)) == "test"
    assert exam.own_split(model, exam.of_labelled(Path("images/test"))) is None
    foreign = replace(model, generation=None, iteration=None)
    assert exam.asked(Config(), foreign).name == "gen1 test"
    assert exam.own_split(foreign, exam.asked(Config(), foreign)) is None
    with pytest.raises(UsageError, match="generation 7 not found"):
        exam.asked(Config(), foreign, number=7)
    (project / "hollow" / "cat").mkdir(parents=True)
    with pytest.raises(DataError, match="no file in the class folders of hollow"):
        exam.of_labelled(Path("hollow"))


def test_a_manifest_that_lists_other_records_is_told(one: Generation) -> None:
    model = load(settings())
    lines = one.manifest.read_text().splitlines(keepends=True)
    test = [number for number, line in enumerate(lines) if json.loads(line).get("split") == "test"]
    del lines[test[-1]]
    one.manifest.write_text("".join(lines))
    with pytest.raises(DataError, match="has 14 records, the manifest lists other ones"):
        asked(exam.of_generation(one, model), model)


def test_an_exam_is_known_by_its_content(one: Generation) -> None:
    model = load(settings())
    records, files = exam.of_generation(one, model), exam.of_labelled(Path("images/test"))
    before = (records.identity(), files.identity())
    assert before == (exam.of_generation(one, model).identity(), exam.of_labelled(Path("images/test")).identity())
    Image.new("RGB", (8, 9), (3, 2, 1)).save("images/test/circle/0.png")
    assert exam.of_labelled(Path("images/test")).identity() != before[1]
    assert exam.of_generation(one, model, "train").identity() != before[0]
    one.write(structs.replace(one.read(), hashes={"images.jsonl": "0"}))
    assert exam.of_generation(one, model).identity() != before[0]


def test_the_digest_knows_pictures_and_labels_but_no_order() -> None:
    first, second = Picture("a", "00", "cat"), Picture("b", "11", None)
    assert digest([first, second]) == digest([second._replace(path="c"), first])
    assert digest([first, second]) != digest([first, second._replace(truth="cat")])
    assert digest([first, second]) != digest([first])

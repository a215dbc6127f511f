"""Folders that are classes, folders that are parts of a set, and those that may be either."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from workflow.data.found import Scan
from workflow.data.layout import part
from workflow.data.prepare import prepare
from workflow.data.scan import scan
from workflow.errors import DataError


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def found(scanned: Scan) -> set[tuple[str, str | None, str]]:
    return {(folder.class_name, folder.split, folder.inside) for folder in scanned.folders}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("train", "train"), ("Training", "train"), ("training_set", "train"), ("TestSet", "test"), ("testing", "test"),
     ("val", "val"), ("VALID", "val"), ("validation", "val"), ("dev", "val"),
     ("trains", None), ("rain", None), ("test1", None), ("valley", None), ("data", None)],
)  # fmt: skip
def test_names_of_parts(name, expected):
    assert part(name) == expected


@pytest.mark.parametrize(
    ("train", "test"),
    [("train", "test"), ("Train", "Test"), ("training", "validation"), ("train", "val"), ("training_set", "test_set")],
)
def test_parts_by_any_name(tmp_path, train, test):
    scanned = scan([touch(tmp_path, *(f"{one}/{name}/1.png" for one in (train, test) for name in ("cat", "dog")))])
    assert scanned.classes == ("cat", "dog")
    assert found(scanned) == {
        (name, split, f"{one}/{name}") for one, split in ((train, "train"), (test, "test")) for name in ("cat", "dog")
    }
    said = [f"{tmp_path / train} used as training pictures, {tmp_path / test} as test pictures"]
    assert scanned.warnings == ([] if train == "train" and test == "test" else said)


@pytest.mark.parametrize("test", ["test", "val", "Validation"])
def test_parts_that_are_named_one_by_one(tmp_path, test):
    touch(tmp_path, *(f"{one}/{name}/1.png" for one in ("train", test) for name in ("cat", "dog")))
    scanned = scan([tmp_path / "train", tmp_path / test])
    assert found(scanned) == {
        ("cat", "train", "cat"),
        ("dog", "train", "dog"),
        ("cat", "test", "cat"),
        ("dog", "test", "dog"),
    }
    assert scanned.warnings == [
        f"{tmp_path / 'train'} used as training pictures",
        f"{tmp_path / test} used as test pictures",
    ]
    touch(tmp_path, "more/cat/1.png")
    for roots in (["train"], ["train", "more"], ["train", test, "more"]):
        assert {split for _, split, _ in found(scan([tmp_path / root for root in roots]))} == {None}


def test_one_part_alone_gives_its_classes(tmp_path):
    scanned = scan([touch(tmp_path, "train/cat/1.png", "train/dog/1.png")])
    assert found(scanned) == {("cat", None, "train/cat"), ("dog", None, "train/dog")}
    assert scanned.warnings == [f"classes taken from {tmp_path / 'train'}, which has no other part beside it"]


@pytest.mark.parametrize("above", ["dataset", "archive/dataset"])
def test_parts_further_down(tmp_path, above):
    touch(tmp_path, *(f"{above}/{one}/{name}/1.png" for one in ("train", "test") for name in ("cat", "dog")))
    assert {(name, split) for name, split, _ in found(scan([tmp_path]))} == {
        ("cat", "train"), ("dog", "train"), ("cat", "test"), ("dog", "test"),
    }  # fmt: skip


def test_a_part_inside_the_part_of_its_name(tmp_path):
    names = [f"{one}/{one}/{name}/1.png" for one in ("training_set", "test_set") for name in ("cat", "dog")]
    assert scan([touch(tmp_path, *names)]).classes == ("cat", "dog")


def test_val_is_the_validation_set_beside_train_and_test(tmp_path):
    names = [f"{one}/{name}/1.png" for one in ("train", "val", "test") for name in ("cat", "dog")]
    scanned = scan([touch(tmp_path, *names)])
    parts = {(split, inside.partition("/")[0]) for _, split, inside in found(scanned)}
    assert parts == {("train", "train"), ("validation", "val"), ("test", "test")}
    assert scanned.warnings == []
    roots = [tmp_path / one for one in ("train", "val", "test")]
    assert {split for _, split, _ in found(scan(roots))} == {"train", "validation", "test"}


def test_parts_by_other_names_are_said(tmp_path):
    names = [f"{one}/{name}/1.png" for one in ("training", "dev", "test_set") for name in ("cat", "dog")]
    training, dev, test = (tmp_path / one for one in ("training", "dev", "test_set"))
    assert scan([touch(tmp_path, *names)]).warnings == [
        f"{training} used as training pictures, {dev} as validation pictures, {test} as test pictures"
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("train/cat/1.png", "train/dog/1.png", "cat/1.png", "dog/1.png"),
        ("train/cat/1.png", "train/dog/1.png", "extra/cat/1.png", "extra/dog/1.png"),
        ("train/cat/1.png", "training/cat/1.png", "test/cat/1.png"),
    ],
)
def test_what_is_not_clear_is_asked(tmp_path, names):
    with pytest.raises(DataError, match="classes and parts of a set cannot be told apart in") as caught:
        scan([touch(tmp_path, *names)])
    assert caught.value.fault == "P03"
    assert scan([tmp_path], classes=("train", "training", "test")).classes


def test_parts_without_classes(tmp_path):
    touch(tmp_path, "train/1.png", "val/1.png")
    with pytest.raises(DataError, match="'train' and 'val' in .* hold pictures but no class folders"):
        scan([tmp_path])
    assert scan([tmp_path], classes=("train", "val")).classes == ("train", "val")


def test_a_class_may_be_called_train(tmp_path):
    assert scan([touch(tmp_path, "train/a/1.png", "train/b/1.png", "plane/a1/1.png")]).classes == ("plane", "train")


def test_classes_that_hold_the_same_folders_are_remarked_on(tmp_path):
    names = [f"{year}/{name}/1.png" for year in ("2019", "2020") for name in ("cat", "dog")]
    scanned = scan([touch(tmp_path, *names)])
    assert scanned.classes == ("2019", "2020")
    assert scanned.warnings == [
        "the classes are 2019, 2020, which all hold cat, dog; if those are the classes: "
        f"wf prepare {tmp_path / '2019'} {tmp_path / '2020'}"
    ]
    touch(tmp_path, "2021/cat/1.png")
    assert scan([tmp_path]).warnings == []


# ---- what a preparation says of them ----------------------------------------------------------------------------


def test_classes_further_down_are_named(tmp_path, labelled, settings):
    labelled(tmp_path / "images" / "dataset", cat=4, dog=4)
    with pytest.raises(DataError, match=r"only one class \('dataset'\)") as caught:
        prepare(settings())
    assert caught.value.hint == f"if the classes are cat, dog: wf prepare {tmp_path / 'images' / 'dataset'}"


def test_p38_the_closest_name_is_said(tmp_path, labelled, settings):
    labelled(tmp_path / "images" / "train", cat=3, dog=3)
    labelled(tmp_path / "images" / "test", first=10, cats=3, dog=3)
    with pytest.raises(DataError, match="0 test images for 'cat', but 'cats' has test images only") as caught:
        prepare(settings())
    assert caught.value.hint == "give both folders one name if 'cat' and 'cats' are one class"


def test_copies_of_training_pictures_in_the_test_folder_are_a_leak(tmp_path, labelled, settings):
    labelled(tmp_path / "images" / "train", cat=6, dog=6)
    labelled(tmp_path / "images" / "test", cat=2, dog=2)
    result = prepare(settings())
    assert (result.train, result.test) == (8, 4)
    assert result.warnings == (
        "leak: 4 of 4 test images are in the training folders, too (the same bytes); "
        "they take part as test images only",
    )
    picture = Image.open(tmp_path / "images/train/cat/5.png")
    picture.save(tmp_path / "images/test/cat/again.bmp")
    assert "leak: 1 test image nearly equal to training ones" in prepare(settings()).warnings


def test_p38_a_training_folder_that_is_a_copy_of_the_test_folder(tmp_path, labelled, settings):
    labelled(tmp_path / "images" / "train", cat=3, dog=3)
    shutil.copytree(tmp_path / "images" / "train", tmp_path / "images" / "test")
    with pytest.raises(DataError, match="3 images of its training folder have the same bytes as test images"):
        prepare(settings())

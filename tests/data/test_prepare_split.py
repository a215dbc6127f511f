"""Near-duplicates in a preparation: which side they go to, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from PIL import Image

from workflow.config import Config, Split, rooted
from workflow.data import manifest
from workflow.data.prepare import prepare
from workflow.data.result import PrepareResult
from workflow.errors import DataError
from workflow.formats.binaryproto import read_mean
from workflow.formats.datum import decode_all
from workflow.formats.lmdb import Reader
from workflow.generations import existing


def scenes(root: Path, name: str, count: int, frames: int) -> None:
    """Pictures of a class as a video gives them: frames of a scene differ by a few grey levels."""
    rng = np.random.default_rng([count, frames, *name.encode()])
    (root / name).mkdir(parents=True)
    for scene in range(count):
        picture = np.kron(rng.integers(0, 256, (4, 4, 3)), np.ones((2, 2, 1), int))
        for frame in range(frames):
            noisy = (picture + rng.integers(-2, 3, picture.shape)).clip(0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(root / name / f"{scene}_{frame}.png")


@pytest.mark.parametrize(("count", "frames"), [(60, 5), (30, 10)])
def test_p29_frames_of_a_scene_stay_together_and_the_share_is_kept(tmp_path, settings, count, frames):
    for name in ("cat", "dog"):
        scenes(tmp_path / "images", name, count, frames)
    result = prepare(settings(test=0.2))
    sides: dict[tuple[str, str], set[str]] = {}
    for image in manifest.read(existing(rooted(Config(), tmp_path))):
        path = Path(image.path)
        sides.setdefault((image.class_name, path.stem.partition("_")[0]), set()).add(image.split)
    assert len(sides) == 2 * count
    assert {len(found) for found in sides.values()} == {1}
    limit = 3 * (0.2 * 0.8 / (2 * count)) ** 0.5  # of the binomial distribution of the scenes
    assert abs(result.test_share - 0.2) < limit
    assert result.to_json()["test_share"] == result.test / (result.test + result.train)


def test_p29_a_share_that_near_duplicates_push_aside_is_reported(tmp_path, settings):
    for name in ("cat", "dog"):
        scenes(tmp_path / "images", name, 4, 12)
    result = prepare(settings(test=0.5))
    (said,) = (text for text in result.warnings if "asked for" in text)
    assert said == (
        f"{result.test_share:.0%} test pictures, 50% asked for: near-duplicates stay on one side of the split, and "
        "96 pictures are 8 different ones"
    )


def test_p38_near_duplicates_that_leave_a_side_empty(tmp_path, settings):
    for name in ("cat", "dog"):
        scenes(tmp_path / "images", name, 4, 12)
    with pytest.raises(DataError, match="its 48 images are 4 different ones, and near-duplicates stay on") as caught:
        prepare(settings(test=0.001))
    share = float(caught.value.hint.rpartition(" ")[2])
    result = prepare(settings(test=share))
    assert result.test > 0
    scenes(tmp_path / "one", "cat", 1, 12)
    scenes(tmp_path / "one", "dog", 4, 12)
    with pytest.raises(DataError, match="for 'cat' .* its 12 images are all nearly equal") as caught:
        prepare(settings(test=0.5), [tmp_path / "one"], number=9)
    assert caught.value.hint == "add other images of 'cat', or sort the images into train/CLASS and test/CLASS"


def with_validation(settings: Config, share: float) -> Config:
    return structs.replace(settings, split=Split(test=settings.split.test, validation=share))


def parts(tmp_path: Path) -> dict[str, str]:
    return {image.sha256: image.split for image in manifest.read(existing(rooted(Config(), tmp_path)))}


def counts(result: PrepareResult) -> tuple[int, int, int]:
    return result.train, result.validation, result.test


def test_validation_pictures_have_a_database_of_their_own_and_no_part_in_the_mean(tmp_path, labelled, settings):
    labelled(tmp_path / "images", cat=40, dog=40)
    plain = prepare(settings(test=0.3))
    one = existing(rooted(Config(), tmp_path))
    assert (plain.validation, "validation" in one.read().counts) == (0, False)
    assert not one.database("validation").exists()
    before = parts(tmp_path)
    result = prepare(with_validation(settings(test=0.3), 0.2))
    two = existing(rooted(Config(), tmp_path))
    assert two.database("validation") == two.dataset / "val_lmdb"
    assert "val_lmdb/data.mdb" in two.read().hashes
    assert (result.test, result.changes.to_validation) == (plain.test, result.validation)
    assert 5 < result.validation < 30
    after = parts(tmp_path)
    assert {digest for digest in after if after[digest] == "test"} == {one for one in before if before[one] == "test"}
    labels, pixels = zip(*records(two.database("train")), strict=True)
    assert len(labels) == result.train == sum(two.read().counts["train"].values())
    np.testing.assert_allclose(read_mean(two.mean), np.mean(pixels, axis=0), atol=1e-4)
    assert len(records(two.database("validation"))) == result.validation
    labelled(tmp_path / "images", first=40, cat=20, dog=20)
    prepare(with_validation(settings(test=0.3), 0.2))
    grown = parts(tmp_path)
    assert {digest: grown[digest] for digest in after} == after


def test_validation_pictures_are_not_cut_where_folders_say_train_and_test(tmp_path, labelled, settings):
    labelled(tmp_path / "images/train", cat=12, dog=12)
    labelled(tmp_path / "images/test", first=12, cat=5, dog=5)
    assert counts(prepare(with_validation(settings(), 0.4))) == (24, 0, 10)
    labelled(tmp_path / "images/val", first=20, cat=4, dog=3)
    assert counts(prepare(with_validation(settings(), 0.4))) == (24, 7, 10)


def test_leaks_into_validation_are_told(tmp_path, labelled, settings):
    labelled(tmp_path / "images/train", cat=9, dog=9)
    labelled(tmp_path / "images/val", first=7, cat=5, dog=4)
    labelled(tmp_path / "images/test", first=20, cat=5, dog=5)
    (tmp_path / "images/test/cat/copy.png").write_bytes((tmp_path / "images/val/cat/10.png").read_bytes())
    Image.open(tmp_path / "images/val/dog/9.png").save(tmp_path / "images/train/dog/again.bmp")
    result = prepare(settings())
    assert counts(result) == (15, 8, 11)
    assert result.warnings == (
        "leak: 4 of 9 validation images are in the training folders, too (the same bytes); they take part as "
        "validation images only",
        "leak: 1 of 11 test images are in the training or validation folders, too (the same bytes); they take part as "
        "test images only",
        "leak: 1 validation image nearly equal to training ones",
    )


def test_a_class_without_validation_pictures_is_told(tmp_path, labelled, settings):
    labelled(tmp_path / "images/train", cat=6, dog=6)
    labelled(tmp_path / "images/val", first=10, cat=5)
    labelled(tmp_path / "images/test", first=20, cat=5, dog=5)
    assert prepare(settings()).warnings == (
        "no validation picture of 'dog': the best snapshot is chosen by the other classes alone",
    )
    labelled(tmp_path / "few", first=40, cat=4, dog=4)
    result = prepare(with_validation(settings(), 0.001), [tmp_path / "few"])
    assert result.warnings == ("no validation picture among 8 pictures: the test pictures choose the best snapshot",)


def records(path: Path) -> list[tuple[int, np.ndarray]]:
    with Reader(path) as reader:
        pixels, labels = decode_all(reader.values(0, len(reader)))
    return list(zip(labels.tolist(), pixels, strict=True))

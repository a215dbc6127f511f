"""Near-duplicates in a preparation: which side they go to, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workflow.config import Config, rooted
from workflow.data import manifest
from workflow.data.prepare import prepare
from workflow.errors import DataError
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

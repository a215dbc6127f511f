"""A preparation obeys the corrections that hold, and forgets those that were taken back."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from workflow.config import Config
from workflow.data.corrections import Correction, add, undo
from workflow.data.prepare import prepare
from workflow.errors import DataError


@pytest.fixture
def config(tmp_path: Path, labelled: Callable[..., Path], settings: Callable[..., Config]) -> Config:
    """Seven cats and five dogs, not yet prepared."""
    labelled(tmp_path / "images", cat=7, dog=5)
    return settings()


def about(path: Path, **facts: object) -> Correction:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Correction(**{"sha256": sha256, "path": str(path), "label": path.parent.name, **facts})


def labels(config: Config, number: int) -> dict[str, str]:
    """CLASS/FILE -> class, as the manifest of a generation has them."""
    manifest = config.generations / f"gen{number}" / "dataset" / "images.jsonl"
    rows = map(json.loads, manifest.read_text().splitlines())
    return {"/".join(Path(row["path"]).parts[-2:]): row["class"] for row in rows if "split" in row}


def test_relabelled_removed_refused_and_taken_back(config: Config, tmp_path: Path) -> None:
    images = tmp_path / "images"
    prepare(config)
    add(
        config.generations,
        [
            about(images / "cat" / "1.png", to="dog"),
            about(images / "cat" / "2.png", remove=True),
            about(images / "dog" / "3.png", refused="cat"),
        ],
    )
    result = prepare(config)
    told = result.corrected.json()
    assert told == {"patches": ["001"], "relabelled": 1, "removed": 1, "overruled": 0}
    after, before = labels(config, 2), labels(config, 1)
    assert after.pop("cat/1.png") == "dog"
    assert {name: after.get(name) for name in before.keys() - {"cat/1.png", "cat/2.png"}} == {
        name: label for name, label in before.items() if name not in ("cat/1.png", "cat/2.png")
    }
    assert "cat/2.png" not in after
    assert (images / "cat" / "2.png").is_file()
    assert (images / "cat" / "1.png").is_file()
    record = json.loads((config.generations / "gen2" / "generation.json").read_text())
    assert record["corrections"] == told
    undo(config.generations)
    assert prepare(config).corrected.patches == ()
    assert labels(config, 3) == before


def test_the_split_does_not_change_with_the_label(config: Config, tmp_path: Path) -> None:
    def splits(number: int) -> dict[str, str]:
        manifest = config.generations / f"gen{number}" / "dataset" / "images.jsonl"
        return {row["sha256"]: row["split"] for row in map(json.loads, manifest.read_text().splitlines())}

    prepare(config)
    add(config.generations, [about(tmp_path / "images" / "dog" / f"{index}.png", to="cat") for index in (0, 1)])
    prepare(config)
    assert splits(2) == splits(1)


def test_a_picture_is_known_wherever_it_lies_and_its_folder_wins(config: Config, tmp_path: Path) -> None:
    images = tmp_path / "images"
    add(config.generations, [about(images / "cat" / str(n), to="dog") for n in ("1.png", "4.png")])
    shutil.move(images / "cat" / "1.png", images / "cat" / "renamed.png")
    shutil.move(images / "cat" / "4.png", images / "dog" / "was a cat.png")  # the owner has done it by hand
    result = prepare(config)
    found = labels(config, 1)
    assert (found["cat/renamed.png"], found["dog/was a cat.png"]) == ("dog", "dog")
    assert result.corrected.relabelled == 1
    assert result.corrected.overruled == 0


def test_a_folder_that_says_a_third_thing_overrules(config: Config, tmp_path: Path, labelled) -> None:
    images = tmp_path / "images"
    labelled(images, owl=5)
    add(config.generations, [about(images / "cat" / "1.png", to="dog")])
    shutil.move(images / "cat" / "1.png", images / "owl" / "moved.png")
    result = prepare(config)
    assert labels(config, 1)["owl/moved.png"] == "owl"
    assert result.corrected.overruled == 1


def test_corrections_of_corrections(config: Config, tmp_path: Path) -> None:
    cat = tmp_path / "images" / "cat" / "1.png"
    add(config.generations, [about(cat, to="dog")])
    add(config.generations, [about(cat, label="dog", to="cat")])
    assert prepare(config).corrected.relabelled == 0
    assert labels(config, 1)["cat/1.png"] == "cat"


def test_a_class_that_there_is_not(config: Config, tmp_path: Path) -> None:
    add(config.generations, [about(tmp_path / "images" / "cat" / "1.png", to="dgo")])
    with pytest.raises(DataError, match="into class 'dgo', which has no folder") as caught:
        prepare(config)
    assert caught.value.hint is not None
    assert "dog" in caught.value.hint
    assert not (config.generations / "gen1").exists()

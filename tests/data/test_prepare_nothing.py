"""A preparation that would make the generation before once more."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec import structs

from workflow.config import Preprocessing
from workflow.data import corrections
from workflow.data.corrections import Correction
from workflow.data.prepare import prepare
from workflow.errors import UsageError
from workflow.generations import generation, generations


@pytest.fixture
def root(tmp_path, labelled, settings) -> Path:
    """One generation of twelve cats and ten dogs."""
    labelled(tmp_path / "images", cat=12, dog=10)
    prepare(settings())
    return tmp_path / "generations"


def test_nothing_new_makes_no_generation_unasked(root, settings):
    with pytest.raises(
        UsageError, match="generation 1 already has the same pictures, labels, split and settings"
    ) as caught:
        prepare(settings())
    assert caught.value.hint == "wf train --gen 1, or wf prepare --force to make generation 2 anyway"
    assert [one.number for one in generations(settings())] == [1]
    assert not list(root.glob("*.tmp-*"))
    assert prepare(settings(), force=True).generation == 2


def test_names_of_files_are_nothing_new(root, settings):
    cats = root.parent / "images" / "cat"
    (cats / "0.png").rename(cats / "another.png")
    with pytest.raises(UsageError, match="already has the same pictures"):
        prepare(settings())


def test_a_picture_more_or_less_is_new(root, settings, labelled):
    labelled(root.parent / "images", first=50, cat=1)
    assert prepare(settings()).changes.added == 1
    (root.parent / "images" / "cat" / "50.png").unlink()
    assert prepare(settings()).changes.removed == 1


def test_a_correction_is_new(root, settings):
    from workflow.data import manifest

    one = next(manifest.read(generation(settings(), 1)))
    other = "dog" if one.class_name == "cat" else "cat"
    corrections.add(root, [Correction(sha256=one.sha256, path=one.path, label=one.class_name, to=other)])
    assert prepare(settings()).changes.relabelled == 1


def test_other_settings_are_new(root, settings):
    assert prepare(settings(seed=2)).generation == 2
    wider = structs.replace(settings(seed=2), preprocessing=Preprocessing(width=6, height=7))
    assert prepare(wider).generation == 3


def test_a_data_set_that_is_damaged_or_gone_is_made_again(root, settings):
    """What the hints of a damaged database say: wf prepare, without a flag."""
    data = generation(settings(), 1).database("train") / "data.mdb"
    data.write_bytes(data.read_bytes()[:5000])
    assert prepare(settings()).generation == 2
    shutil.rmtree(generation(settings(), 2).database("test"))
    assert prepare(settings()).generation == 3

"""Class numbers are append-only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.config import Preprocessing
from workflow.data.classes import arrange
from workflow.errors import DataError, UsageError
from workflow.generations import Record
from workflow.generations.record import PreparedWith

NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=2)


def record(*classes: str, gone: tuple[str, ...] = ()) -> Record:
    """Generation 4 with those classes; `gone` had no pictures in it."""
    counts = {name: 0 if name in gone else 3 for name in classes}
    return Record(
        number=4,
        created="2026-11-20T10:00:00+00:00",
        classes=classes,
        preprocessing=Preprocessing(),
        counts={"train": counts, "test": counts},
        hashes={},
        config=PreparedWith(),
        versions={},
    )


def test_a_first_generation_goes_by_name():
    got = arrange(["cat", "dog"])
    assert got.names == got.active == ("cat", "dog")
    assert got.new == ()
    assert got.warnings == ()


@given(NAMES, NAMES)
def test_p36_numbers_never_change(old, more):
    before = record(*old)
    got = arrange(sorted({*old, *more}), previous=before)
    assert got.names[: len(old)] == tuple(old)
    assert list(got.names[len(old) :]) == sorted(set(more) - set(old))
    assert got.new == got.names[len(old) :]


def test_p36_a_new_class_is_told():
    got = arrange(["ape", "cat", "dog"], previous=record("cat", "dog"))
    assert got.names == ("cat", "dog", "ape")
    assert got.warnings == ("new class 'ape' gets number 2",)


def test_p04_one_class():
    with pytest.raises(DataError, match=r"only one class \('cat'\); a classifier needs at least 2"):
        arrange(["cat"])
    with pytest.raises(DataError, match="no class is left"):
        arrange(["cat", "dog"], drop=["cat", "dog"])


def test_p37_a_class_is_gone():
    with pytest.raises(DataError, match=r"class 'dog' \(number 1\) of generation 4 is gone") as caught:
        arrange(["ape", "cat", "puppy"], previous=record("cat", "dog", "ape"))
    assert caught.value.hint == "--drop-class dog or --rename dog=puppy"
    with pytest.raises(DataError) as caught:
        arrange(["ape", "cat"], previous=record("cat", "dog", "ape"))
    assert caught.value.hint == "--drop-class dog or --rename dog=NEWNAME"


def test_p37_a_dropped_class_keeps_its_number():
    got = arrange(["ape", "cat"], previous=record("cat", "dog", "ape"), drop=["dog"])
    assert got.names == ("cat", "dog", "ape")
    assert got.active == ("cat", "ape")


def test_p37_once_dropped_nobody_asks_again_and_it_may_come_back():
    before = record("cat", "dog", "ape", gone=("dog",))
    assert arrange(["ape", "cat"], previous=before).names == ("cat", "dog", "ape")
    assert arrange(["ape", "cat", "dog"], previous=before).active == ("cat", "dog", "ape")


def test_p37_a_renamed_class_keeps_its_number():
    before = record("cat", "dog", "ape")
    for found in (["ape", "cat", "puppy"], ["ape", "cat", "dog"]):  # the folder may have either name
        got = arrange(found, previous=before, rename={"dog": "puppy"})
        assert got.names == got.active == ("cat", "puppy", "ape")
        assert got.new == ()


def test_dropping_a_class_that_never_was_leaves_no_gap():
    assert arrange(["ape", "cat", "dog"], drop=["ape"]).names == ("cat", "dog")


def test_flags_that_name_no_class():
    with pytest.raises(UsageError, match="--drop-class: unknown class 'dgo'") as caught:
        arrange(["cat", "dog"], drop=["dgo"])
    assert caught.value.hint == "did you mean 'dog'?"
    with pytest.raises(UsageError, match="--rename: unknown class 'cow'"):
        arrange(["cat", "dog"], rename={"cow": "ox"})
    with pytest.raises(UsageError, match="'cat' is a class already"):
        arrange(["cat", "dog"], previous=record("cat", "dog"), rename={"dog": "cat"})


def test_settings_fix_the_order():
    assert arrange(["cat", "dog"], configured=["dog", "cat"]).names == ("dog", "cat")
    got = arrange(["cat", "dog"], configured=["dog", "cat"], previous=record("cat", "dog"))
    assert got.names == ("dog", "cat")
    assert len(got.warnings) == 2
    assert "class 'cat' was number 0 in generation 4 and is 1 now" in got.warnings[0]


def test_settings_and_folders_disagree():
    with pytest.raises(DataError, match="folder 'ape' is not listed under `classes:` in the settings"):
        arrange(["ape", "cat", "dog"], configured=["cat", "dog"])
    with pytest.raises(DataError, match="class 'fox' in the settings has no folder"):
        arrange(["cat", "dog"], configured=["cat", "dog", "fox"])
    assert arrange(["ape", "cat", "dog"], configured=["cat", "dog"], drop=["ape"]).names == ("cat", "dog")
    with pytest.raises(UsageError, match="lists a class twice"):
        arrange(["cat", "dog"], configured=["cat", "dog", "cat"])

"""inbox/labelled is one more folder of a preparation, recorded by sender."""

from __future__ import annotations

import hashlib
import os

import pytest

from workflow.config import rooted
from workflow.data import manifest
from workflow.data.labelled import Labelled, found
from workflow.data.prepare import prepare
from workflow.data.scan import scan
from workflow.errors import DataError
from workflow.generations import existing


@pytest.fixture
def inbox(labelled, tmp_path):
    """Two cats, sent by ann and bob; a dog that nobody sent."""
    labelled(tmp_path / "images", cat=6, dog=6)
    root = labelled(tmp_path / "inbox" / "labelled", first=100, cat=2, dog=1)
    cats = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((root / "cat").iterdir())]
    return Labelled(root=root, senders=dict(zip(cats, ("ann", "bob"), strict=True)))


def test_it_is_read_beside_the_folders_and_recorded(inbox, settings, tmp_path):
    result = prepare(settings(), labelled=inbox)
    assert result.train + result.test == 15
    assert result.inbox.senders == {"ann": 1, "bob": 1, "owner": 1}
    record = existing(rooted(settings(), tmp_path)).read()
    assert (record.inbox.pictures, record.inbox.senders) == (3, {"ann": 1, "bob": 1, "owner": 1})
    paths = [one.path for one in manifest.read(existing(settings()))]
    assert sum("inbox/labelled/cat" in path for path in paths) == 2
    without = prepare(settings())
    assert (without.train + without.test, without.inbox.pictures) == (12, 0)


def test_copies_of_what_the_folders_have_are_not_counted(inbox, settings, tmp_path):
    (tmp_path / "images" / "cat" / "same.png").write_bytes((inbox.root / "cat" / "100.png").read_bytes())
    result = prepare(settings(), labelled=inbox)
    assert result.train + result.test == 15
    assert result.inbox.pictures == 2


def test_two_classes_for_the_same_bytes_stop_with_both_names(inbox, settings, tmp_path):
    (tmp_path / "images" / "dog" / "same.png").write_bytes((inbox.root / "cat" / "100.png").read_bytes())
    with pytest.raises(DataError, match="labelled/cat/100.png"):
        prepare(settings(), labelled=inbox)


def test_an_empty_inbox_is_no_folder(tmp_path):
    assert not found(tmp_path / "labelled")
    (tmp_path / "labelled" / "cat").mkdir(parents=True)
    assert not found(tmp_path / "labelled")
    (tmp_path / "labelled" / "cat" / "1.png").write_bytes(b"x")
    assert found(tmp_path / "labelled")


def test_classes_are_the_same_whatever_the_form_of_an_accent(labelled, settings, tmp_path):
    """A folder copied from a Mac has its accents apart; a take-over names its folders as classes are called."""
    ga, together = "か\u3099", "が"
    labelled(tmp_path / "images", **{ga: 6, "dog": 6})
    root = labelled(tmp_path / "inbox" / "labelled", first=100, **{together: 2})
    result = prepare(settings(), labelled=Labelled(root=root, senders={}))
    assert result.classes == ("dog", together)
    assert result.inbox.pictures == 2
    labelled(tmp_path / "more", **{together: 2, "dog": 2})
    with pytest.raises(DataError, match="the form of an accent"):
        prepare(settings(), [tmp_path / "images", tmp_path / "more"])


def test_a_takeover_in_between_leaves_pictures_to_the_next_generation(inbox, settings, tmp_path):
    def relabelled(done: int, _: int) -> None:
        if not done:
            (inbox.root / "cat" / "100.png").rename(inbox.root / "dog" / "moved.png")

    result = prepare(settings(), labelled=inbox, progress=relabelled)
    assert [(path[-11:], reason) for path, reason in result.skipped] == [("cat/100.png", "was moved by a take-over")]
    assert "1 picture of the inbox left out: relabelled while they were read" in result.warnings
    assert result.train + result.test == 14
    assert prepare(settings(), labelled=inbox).inbox.pictures == 3


def test_a_file_of_the_users_own_that_disappears_still_stops(inbox, settings, tmp_path):
    def deleted(done: int, _: int) -> None:
        if not done:
            (tmp_path / "images" / "cat" / "0.png").unlink()

    with pytest.raises(DataError, match="disappeared while pictures were being read"):
        prepare(settings(), labelled=inbox, progress=deleted)


def test_a_class_folder_that_a_takeover_empties_while_it_is_looked_for(inbox, monkeypatch, tmp_path):
    real = os.scandir

    def emptied(folder):
        if str(folder).endswith("labelled/dog"):
            raise FileNotFoundError(2, "No such file or directory", str(folder))
        return real(folder)

    monkeypatch.setattr(os, "scandir", emptied)
    roots = [tmp_path / "images", inbox.root]
    assert scan(roots, inbox=inbox.root).files == 14
    with pytest.raises(FileNotFoundError):
        scan(roots)

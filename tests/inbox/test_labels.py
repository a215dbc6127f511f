"""Decisions: kept once, never lost, never overwritten silently, always taken back."""

from __future__ import annotations

import pytest
from an_inbox import inbox, label, send

from workflow.errors import NotFound, UsageError
from workflow.inbox import Decision, Inbox

__all__ = ["inbox"]


def one(inbox: Inbox, decision: Decision, token: int = 1) -> tuple[str, str | None]:
    (answer,) = inbox.label([decision], token)
    return answer.status, answer.message


def test_the_same_key_is_entered_once(inbox):
    sha = send(inbox, 1)
    first = inbox.label([label(sha, "cat", key="k")])
    again = inbox.label([label(sha, "cat", key="k")])
    assert (first[0].status, again[0].status) == ("saved", "known")
    assert first[0].seq == again[0].seq
    assert len(inbox.picture(sha)["events"]) == 1
    assert one(inbox, label(sha, "dog", key="k", was="cat")) == ("conflict", "this key was used for another decision")


def test_the_same_key_twice_in_one_request(inbox):
    sha = send(inbox, 1)
    assert [answer.status for answer in inbox.label([label(sha, "cat", key="k")] * 2)] == ["saved", "known"]


def test_two_people_never_overwrite_each_other_silently(inbox):
    sha = send(inbox, 1)
    other = inbox.token(inbox.add_token("ann", "labeller"))
    assert one(inbox, label(sha, "cat")) == ("saved", None)
    assert one(inbox, label(sha, "dog"), other.id) == ("conflict", "it is 'cat' by now, decided by owner")
    assert inbox.picture(sha)["label"] == "cat"
    assert one(inbox, label(sha, "dog", was="cat"), other.id)[0] == "saved"
    assert one(inbox, label(sha, None, was="cat")) == ("conflict", "it is 'dog' by now, decided by ann")


def test_two_people_who_agree_are_no_conflict(inbox):
    sha = send(inbox, 1)
    assert one(inbox, label(sha, "cat", key="a"))[0] == "saved"
    assert one(inbox, label(sha, "cat", key="b"))[0] == "saved"


def test_a_class_that_was_confirmed_is_not_changed_by_who_did_not_see_that(inbox):
    """keep leaves the class as it was, so that `was` alone does not show it."""
    sha = send(inbox, 1)
    other = inbox.token(inbox.add_token("ann", "labeller"))
    one(inbox, label(sha, "cat"))
    assert one(inbox, Decision(key="q", sha256=sha, kind="keep", was="cat"))[0] == "saved"
    seq = inbox.picture(sha)["seq"]
    assert one(inbox, label(sha, "dog", was="cat"), other.id)[0] == "conflict"
    assert one(inbox, label(sha, "dog", was="cat", seq=seq - 1, key="x"), other.id)[0] == "conflict"
    assert one(inbox, label(sha, "dog", was="cat", seq=seq), other.id)[0] == "saved"


def test_keep_needs_a_class(inbox):
    sha = send(inbox, 1)
    assert one(inbox, Decision(key="q", sha256=sha, kind="keep")) == (
        "conflict",
        "it has no class that could be kept: give it one",
    )


def test_a_picture_that_is_not_there_fails_alone(inbox):
    sha = send(inbox, 1)
    answers = inbox.label([label("0" * 64, "cat"), label(sha, "cat")])
    assert [answer.status for answer in answers] == ["conflict", "saved"]


def test_undo_goes_back_step_by_step(inbox):
    sha = send(inbox, 1, cat=0.4, dog=0.6)
    inbox.label([label(sha, "cat", key="a"), label(sha, "dog", key="b", was="cat")])
    assert inbox.queue("sent").total == 0
    assert inbox.undo("b").class_name == "cat"
    assert inbox.undo("b").class_name == "cat"
    assert inbox.queue("sent").total == 0
    undone = inbox.undo("a")
    assert (undone.class_name, undone.state) == (None, None)
    assert [item["sha256"] for item in inbox.queue("sent").items] == [sha]
    assert one(inbox, label(sha, "cat", key="c"))[0] == "saved"


def test_undo_of_an_earlier_decision_leaves_the_later_one(inbox):
    sha = send(inbox, 1)
    inbox.label([label(sha, "cat", key="a"), label(sha, "dog", key="b", was="cat")])
    assert inbox.undo("a").class_name == "dog"
    assert inbox.undo("b").class_name is None
    assert inbox.queue("sent").total == 1


def test_undo_of_what_was_never_saved(inbox):
    with pytest.raises(NotFound, match="no decision has the key 'gone'"):
        inbox.undo("gone")


def test_only_the_owner_takes_back_what_others_decided(inbox):
    sha = send(inbox, 1)
    other = inbox.token(inbox.add_token("ann", "labeller"))
    inbox.label([label(sha, "cat", key="a")])
    with pytest.raises(UsageError, match="only the owner"):
        inbox.undo("a", other.id, others_too=False)
    assert inbox.picture(sha)["label"] == "cat"


def test_later_puts_a_picture_behind_and_undo_brings_it_back(inbox):
    shas = [send(inbox, number, cat=0.5 + number / 10, dog=0.5 - number / 10) for number in range(3)]
    assert one(inbox, Decision(key="l", sha256=shas[0], kind="later", queue="sent"))[0] == "saved"
    assert [item["sha256"] for item in inbox.queue("sent").items] == [shas[1], shas[2], shas[0]]
    assert inbox.picture(shas[0])["state"] == "later"
    assert inbox.queue("sent").total == 3
    inbox.undo("l")
    assert [item["sha256"] for item in inbox.queue("sent").items] == shas
    assert inbox.picture(shas[0])["state"] is None


def test_later_does_not_touch_a_decision(inbox):
    sha = send(inbox, 1)
    inbox.label([label(sha, "cat"), Decision(key="l", sha256=sha, kind="later", queue="sent", was="cat")])
    assert (inbox.picture(sha)["label"], inbox.picture(sha)["state"]) == ("cat", "label")
    inbox.undo("l")
    assert inbox.picture(sha)["label"] == "cat"


@pytest.mark.parametrize("key", ["", "a b", "x" * 101, "ü", 7, None, "undo a"])
def test_keys_that_cannot_be_keys(key):
    with pytest.raises(UsageError, match="key is"):
        Decision(key=key, sha256="0" * 64, kind="later")


def test_kinds_and_classes():
    with pytest.raises(UsageError, match="kind is 'undo', expected label, keep, remove, later"):
        Decision(key="k", sha256="0" * 64, kind="undo")
    with pytest.raises(UsageError, match="a label needs a class"):
        Decision(key="k", sha256="0" * 64, kind="label")

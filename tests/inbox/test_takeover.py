"""From decisions to patches and links: once, whole, and back."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from an_inbox import digest, effective, jpeg, label, send
from one_generation import make_one

from workflow.api import Project
from workflow.data import corrections
from workflow.data.corrections import Correction
from workflow.errors import UsageError
from workflow.inbox import Decision, Facts, Filters, Inbox, Item, takeover


@pytest.fixture
def inbox(project: Path) -> Iterator[Inbox]:
    """Of a project with gen1: circle, cross and empty, in images/train and images/test."""
    make_one(project)
    with Inbox(Project(project).config) as opened:
        opened.learn()
        yield opened


def known(inbox: Inbox, class_name: str, number: int = 0, split: str = "train") -> str:
    """A picture of the project's own folders."""
    return inbox.gallery(Filters(class_name=class_name, split=split)).items[number]["sha256"]


def lines(inbox: Inbox) -> list[tuple[str, str | None, bool, str | None]]:
    return [
        (one.label, one.to, one.remove, one.refused)
        for patch in corrections.patches(inbox.config.generations)
        for one in patch.corrections
    ]


def links(inbox: Inbox) -> list[str]:
    root = inbox.folder / "labelled"
    return sorted(path.relative_to(root).parent.name for path in root.glob("*/*"))


def decide(inbox: Inbox, *decisions: Decision) -> None:
    assert [one.status for one in inbox.label(decisions)] == ["saved"] * len(decisions)


def done(inbox: Inbox) -> dict[str, int]:
    """What a take-over did, without zeros; a second one finds nothing to do."""
    found = inbox.takeover()
    again = inbox.takeover()
    assert not again.conflicts or found.conflicts
    assert {again.corrected, again.linked, again.moved, again.removed} == {0}
    return {name: count for name, count in found.json().items() if isinstance(count, int) and count and name != "patch"}


def test_known_bytes_become_a_line_and_new_bytes_a_link(inbox):
    own, new = known(inbox, "circle"), send(inbox, 1)
    before = {path: path.read_bytes() for path in Path("images").rglob("*.png")}
    decide(inbox, label(own, "cross", was="circle"), label(new, "empty"))
    would = inbox.takeover(preview=True)
    assert (would.corrected, would.linked, would.patch) == (1, 1, None)
    assert (lines(inbox), links(inbox)) == ([], [])
    assert done(inbox) == {"corrected": 1, "linked": 1}
    assert lines(inbox) == [("circle", "cross", False, None)]
    assert links(inbox) == ["empty"]
    (link,) = (inbox.folder / "labelled" / "empty").iterdir()
    assert link.samefile(inbox.path(new))
    assert link.name == f"{new}.jpg"
    assert {path: path.read_bytes() for path in Path("images").rglob("*.png")} == before


def test_a_label_that_changes_moves_the_link(inbox):
    new = send(inbox, 1)
    decide(inbox, label(new, "empty"))
    done(inbox)
    decide(inbox, label(new, "cross", was="empty"))
    assert done(inbox) == {"moved": 1}
    assert links(inbox) == ["cross"]
    decide(inbox, label(new, None, was="cross"))
    assert done(inbox) == {"removed": 1}
    assert links(inbox) == []
    decide(inbox, label(new, "cross", key="again"))
    assert done(inbox) == {"linked": 1}


def test_a_label_that_changes_writes_another_patch(inbox):
    own = known(inbox, "circle")
    decide(inbox, label(own, "cross", was="circle"))
    done(inbox)
    decide(inbox, label(own, "empty", was="cross"))
    assert done(inbox) == {"corrected": 1}
    decide(inbox, label(own, None, was="empty"))
    assert done(inbox) == {"removed": 1}
    decide(inbox, label(own, "circle"))
    assert done(inbox) == {"corrected": 1}
    assert lines(inbox) == [
        ("circle", "cross", False, None),
        ("cross", "empty", False, None),
        ("empty", None, True, None),
        ("empty", "circle", False, None),
    ]
    assert effective(inbox, own, "circle") == "circle"


def test_undo_after_a_takeover_is_taken_over_too(inbox):
    own, new = known(inbox, "circle"), send(inbox, 1)
    decide(inbox, label(own, "cross", was="circle", key="own"), label(new, "empty", key="new"))
    done(inbox)
    assert (inbox.undo("own").class_name, inbox.undo("new").class_name) == ("circle", None)
    assert done(inbox) == {"corrected": 1, "removed": 1}
    assert links(inbox) == []
    assert effective(inbox, own, "circle") == "circle"


def test_undo_leads_back_to_later_and_that_excludes_nothing(inbox):
    own, new = known(inbox, "circle"), send(inbox, 1)
    for number, sha in enumerate((own, new)):
        was = "circle" if sha == own else None
        decide(inbox, Decision(key=f"later{number}", sha256=sha, kind="later", was=was))
        decide(inbox, label(sha, "cross", was=was, key=f"k{number}"))
    done(inbox)
    assert [inbox.undo(f"k{number}").state for number in range(2)] == ["later", "later"]
    assert done(inbox) == {"corrected": 1, "removed": 1}
    assert effective(inbox, own, "circle") == "circle"
    assert links(inbox) == []


def test_undo_before_a_takeover_leaves_nothing_to_do(inbox):
    own = known(inbox, "circle")
    decide(inbox, label(own, "cross", was="circle", key="own"))
    inbox.undo("own")
    assert done(inbox) == {}
    assert lines(inbox) == []


def test_keep_says_once_that_a_label_is_right(inbox):
    own = known(inbox, "circle")
    decide(inbox, Decision(key="q", sha256=own, kind="keep", was="circle"))
    assert done(inbox) == {"corrected": 1}
    assert lines(inbox) == [("circle", None, False, "")]
    assert (own, "circle") in corrections.decided(corrections.patches(inbox.config.generations))


def test_what_a_command_decided_meanwhile_is_a_conflict_until_somebody_decides_again(inbox):
    own = known(inbox, "circle")
    decide(inbox, label(own, "cross", was="circle"))
    corrections.add(inbox.config.generations, [Correction(sha256=own, path="", label="circle", to="empty")])
    found = inbox.takeover()
    assert found.conflicts == [
        {"sha256": own, "message": "it is 'empty' by a newer correction or a moved file; decide again to overrule it"}
    ]
    assert inbox.takeover().conflicts == found.conflicts
    assert lines(inbox) == [("circle", "empty", False, None)]
    decide(inbox, label(own, "cross", was="cross", key="yes"))
    assert done(inbox) == {"corrected": 1}
    assert effective(inbox, own, "circle") == "cross"


def test_a_command_that_decided_the_same_is_no_conflict(inbox):
    own = known(inbox, "circle")
    decide(inbox, label(own, "cross", was="circle"))
    corrections.add(inbox.config.generations, [Correction(sha256=own, path="", label="circle", to="cross")])
    assert done(inbox) == {"unchanged": 1}


def test_a_link_that_the_owner_moved_by_hand_is_a_conflict(inbox):
    new = send(inbox, 1)
    decide(inbox, label(new, "empty"))
    done(inbox)
    (inbox.folder / "labelled" / "cross").mkdir()
    (link,) = (inbox.folder / "labelled" / "empty").iterdir()
    link.rename(inbox.folder / "labelled" / "cross" / link.name)
    decide(inbox, label(new, "circle", was="empty"))
    assert "it is 'cross' by" in inbox.takeover().conflicts[0]["message"]
    assert links(inbox) == ["cross"]


def test_a_picture_of_an_unlabelled_folder_is_linked_from_there(inbox, project):
    (project / "pile").mkdir()
    (project / "pile" / "one.JPEG").write_bytes(jpeg(9))
    sha = digest(jpeg(9))
    inbox.fill("folder-pile", "pile", [Item(facts=Facts(sha256=sha), path="pile/one.JPEG", suggestion="cross")])
    decide(inbox, label(sha, "cross"))
    assert done(inbox) == {"linked": 1}
    assert (inbox.folder / "labelled" / "cross" / f"{sha}.jpeg").samefile(project / "pile" / "one.JPEG")


def test_a_class_that_went_and_a_file_that_is_gone(inbox):
    one, two = send(inbox, 1), send(inbox, 2)
    decide(inbox, label(one, "zebra"), label(two, "cross"))
    inbox.path(two).unlink()
    assert {found["message"] for found in inbox.takeover().conflicts} == {
        "there is no class 'zebra' any more",
        "its file is gone",
    }


def test_without_a_generation_there_are_no_classes(tmp_path):
    with Inbox(Project(tmp_path).config) as inbox, pytest.raises(UsageError):
        inbox.takeover()


def killed(project: Path, step: str) -> None:
    """A take-over by a process that dies after that step."""
    code = (
        "import os, signal, sys\nfrom workflow.api import Project\nfrom workflow.data import corrections\n"
        "from workflow.inbox import Inbox, takeover\n"
        f"place = corrections if {step!r} == 'add' else takeover\nreal = getattr(place, {step!r})\n"
        "def killed(*args, **more):\n    real(*args, **more)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"setattr(place, {step!r}, killed)\nInbox(Project('.').config).takeover()\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=project, check=False)
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.parametrize("step", ["_plans", "_announced", "add", "_place", "_settle"])
def test_a_decision_that_is_taken_back_after_a_kill_is_not_in_force(inbox, project, step):
    own, other, new = known(inbox, "circle"), known(inbox, "circle", 1), send(inbox, 1)
    decide(
        inbox,
        label(own, "cross", was="circle", key="own"),
        label(other, None, was="circle", key="other"),
        label(new, "empty", key="new"),
    )
    killed(project, step)
    for key in ("own", "other", "new"):
        inbox.undo(key)
    assert not inbox.takeover().conflicts
    assert [effective(inbox, one, "circle") for one in (own, other)] == ["circle"] * 2
    assert links(inbox) == []
    assert done(inbox) == {}


@pytest.mark.parametrize("step", ["add", "_place", "_settle"])
def test_a_kill_at_any_step_is_made_good_by_the_next_takeover(inbox, project, step):
    """A process that dies just after the patch, after the links, before the rows."""
    own, new = known(inbox, "circle"), send(inbox, 1)
    moved = send(inbox, 2)
    decide(inbox, label(moved, "cross"))
    done(inbox)
    decide(inbox, label(own, "cross", was="circle", key="own"), label(new, "empty"), label(moved, "empty", was="cross"))
    killed(project, step)
    inbox.takeover()
    assert [*map(json.loads, Path("corrections/001.jsonl").read_text().splitlines())] == [
        {"sha256": own, "path": inbox.known(own).path, "from": "circle", "to": "cross"}
    ]
    assert len(list(Path("corrections").iterdir())) == 1
    assert links(inbox) == ["empty", "empty"]
    assert inbox.takeover().json() == {
        "patch": None, "corrected": 0, "linked": 0, "moved": 0, "removed": 0, "unchanged": 0, "conflicts": [],
    }  # fmt: skip
    inbox.undo("own")
    assert done(inbox) == {"corrected": 1}
    assert effective(inbox, own, "circle") == "circle"


@pytest.mark.parametrize("then", ["undo", "circle", "empty", "remove"])
@pytest.mark.parametrize("step", ["_plans", "_announced"])
def test_what_is_decided_during_a_takeover_is_taken_over_by_the_next(inbox, monkeypatch, then, step):
    own, other, new = known(inbox, "circle"), known(inbox, "circle", 1), send(inbox, 1)
    first = {own: ("cross", "circle"), other: (None, "circle"), new: ("cross", None)}
    decide(inbox, *(label(sha, name, was=was, key=f"k{sha}") for sha, (name, was) in first.items()))
    real = getattr(takeover, step)

    def meanwhile(*arguments: Any) -> list[Any]:
        found = real(*arguments)
        if then == "undo":
            for sha in first:
                inbox.undo(f"k{sha}")
        else:
            wanted = None if then == "remove" else then
            inbox.label([label(sha, wanted, was=name) for sha, (name, _) in first.items()])
        return found

    monkeypatch.setattr(takeover, step, meanwhile)
    assert not inbox.takeover().conflicts
    monkeypatch.undo()
    assert not inbox.takeover().conflicts
    wanted = {"undo": "circle", "remove": None}.get(then, then)
    assert [effective(inbox, one, "circle") for one in (own, other)] == [wanted] * 2
    assert links(inbox) == ([] if then in ("undo", "remove") else [then])
    assert done(inbox) == {}


def test_only_what_is_due_is_looked_at(inbox):
    new = send(inbox, 1)
    decide(inbox, label(new, "empty"))
    inbox.takeover()
    assert inbox.read(lambda c: c.execute("SELECT count(*) FROM state WHERE pending = 1").fetchone()) == (0,)
    assert inbox.path(new).stat().st_nlink == 2

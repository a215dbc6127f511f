"""The table of suspects: written, filled in, applied; and what is said of one that is damaged."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from three_generations import ROOT, make_three

from workflow.config import Config
from workflow.curation.decisions import COLUMNS, apply, check_free, write_suspects
from workflow.curation.suspects import Suspect
from workflow.data import corrections
from workflow.data.corrections import Correction
from workflow.errors import DataError, UsageError
from workflow.exams.picture import Picture

TABLE = Path("suspects.csv")
DIGESTS = [f"{number:064x}" for number in range(6)]


@pytest.fixture(autouse=True)
def three(project: Path) -> None:
    """Generations that know circles, crosses and empty ones, and an open table of six pictures."""
    make_three(project)
    write_suspects(
        TABLE,
        [
            Suspect(
                picture=Picture(path=f'a, "{row}".png', sha256=digest, truth="circle"),
                split="train",
                suggested="cross",
                score=0.9 - row / 10,
                why="out of fold; nearest",
            )
            for row, digest in enumerate(DIGESTS)
        ],
    )


def fill(*decisions: str) -> None:
    """Decide about the first rows, as a user does."""
    with TABLE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row, decision in zip(rows, decisions, strict=False):
        row["decision"] = decision
    with TABLE.open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)


def test_every_kind_of_decision() -> None:
    fill("accept", "refuse", "remove", "empty", " ACCEPT ")
    done = apply(Config(), TABLE)
    assert (done.relabelled, done.refused, done.removed, done.open) == (3, 1, 1, 1)
    assert done.patch is not None
    assert [(one.to, one.refused, one.remove) for one in done.patch.corrections] == [
        ("cross", None, False),
        (None, "cross", False),
        (None, None, True),
        ("empty", None, False),
        ("cross", None, False),
    ]
    assert done.patch.corrections[0].path == 'a, "0".png'
    assert corrections.patches(ROOT) == (done.patch,)
    assert done.json()["patch"] == str(done.patch.path)


def test_a_table_can_be_applied_again_when_more_is_filled_in() -> None:
    fill("accept")
    apply(Config(), TABLE)
    again = apply(Config(), TABLE)
    assert (again.patch, again.open) == (None, 5)
    fill("accept", "refuse")
    more = apply(Config(), TABLE)
    assert more.patch is not None
    assert [one.sha256 for one in more.patch.corrections] == [DIGESTS[1]]
    fill("refuse", "refuse")  # he thinks better of the first
    changed = apply(Config(), TABLE).patch
    assert changed is not None
    assert [one.refused for one in changed.corrections] == ["cross"]
    assert corrections.in_force(corrections.patches(ROOT))[DIGESTS[0]][0][1].refused == "cross"


@pytest.mark.parametrize(("delimiter", "end"), [(";", "\r\n"), ("\t", "\n"), (",", "\r\n")])
def test_as_spreadsheets_leave_it(delimiter: str, end: str) -> None:
    row = delimiter.join(["x.png", DIGESTS[0], "circle", "cross", '"0,9"', "why", "accept"])
    TABLE.write_bytes(b"\xef\xbb\xbf" + f"{delimiter.join(COLUMNS)}{end}{row}{end}{delimiter * 6}{end}".encode())
    assert apply(Config(), TABLE).relabelled == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: no column 'sha256'"),
        ("sha256,label,suggested\n", "line 1: no column 'decision'"),
        ("sha256,label,suggested,decision\n1,2\n", "line 2: 2 fields, expected 4"),
        (f'sha256,label,suggested,decision\n{DIGESTS[0]},circle,cross,"acc\n', "not a row of a table"),
        ("sha256,label,suggested,decision\n12,circle,cross,accept\n", "line 2: sha256 is '12', expected 64"),
        (f"sha256,label,suggested,decision\n{DIGESTS[0]},circle,cross,yes\n", "line 2: decision is 'yes', expected"),
        (f"sha256,label,suggested,decision\n{DIGESTS[0]},cirle,cross,accept\n", "line 2: label is 'cirle', expected"),
        (
            f"sha256,label,suggested,decision\n{DIGESTS[0]},circle,cross,accept\n{DIGESTS[0]},circle,cross,remove\n",
            "line 3 and line 2 decide differently about the same picture",
        ),
    ],
)
def test_a_damaged_table_names_the_line_and_changes_nothing(text: str, message: str) -> None:
    TABLE.write_text(text)
    with pytest.raises(DataError, match=message):
        apply(Config(), TABLE)
    assert corrections.patches(ROOT) == ()


def test_a_slip_of_the_pen_is_put_right() -> None:
    fill("acept")
    with pytest.raises(DataError, match="decision is 'acept'") as caught:
        apply(Config(), TABLE)
    assert caught.value.hint == "did you mean 'accept'?"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings_of_spreadsheets(encoding: str) -> None:
    fill("accept")
    TABLE.write_bytes(TABLE.read_text().encode(encoding))
    assert apply(Config(), TABLE).relabelled == 1


def test_a_table_in_another_encoding_changes_nothing() -> None:
    """Names of classes would be stored with half characters."""
    fill("ねこ")
    TABLE.write_bytes(TABLE.read_text().encode("cp932"))
    with pytest.raises(DataError, match="is not UTF-8 text, but looks like Shift-JIS"):
        apply(Config(), TABLE)
    assert corrections.patches(ROOT) == ()


def test_names_of_files_that_are_no_text_do_not_spoil_the_table() -> None:
    picture = Picture(path="caf\udce9.png", sha256=DIGESTS[0], truth="circle")
    write_suspects(TABLE, [Suspect(picture=picture, split="train", suggested="cross", score=0.9, why="")])
    assert "caf\\udce9.png" in TABLE.read_text()
    fill("accept")
    assert apply(Config(), TABLE).relabelled == 1


def test_no_table() -> None:
    with pytest.raises(UsageError, match=r"cannot read nowhere\.csv"):
        apply(Config(), Path("nowhere.csv"))


def test_a_table_in_another_folder_is_named() -> None:
    """README's `wf suspects --apply suspects.csv`, typed as it stands."""
    written = ROOT / "gen1" / "evaluation" / "iter_20" / "suspects" / "suspects.csv"
    written.parent.mkdir(parents=True)
    TABLE.rename(written)
    with pytest.raises(UsageError) as caught:
        apply(Config(), TABLE)
    assert caught.value.hint == f"did you mean {written}?"


def test_decisions_that_wait_are_not_written_over() -> None:
    check_free(ROOT, Path("nowhere.csv"))
    check_free(ROOT, TABLE)
    fill("accept", "refuse")
    with pytest.raises(UsageError, match="holds 2 decisions that have not been applied") as caught:
        check_free(ROOT, TABLE)
    assert caught.value.hint is not None
    assert "wf suspects --apply suspects.csv" in caught.value.hint
    apply(Config(), TABLE)
    check_free(ROOT, TABLE)
    TABLE.write_text("my shopping list\n")
    with pytest.raises(UsageError, match="is not a table of wf"):
        check_free(ROOT, TABLE)


def test_an_undone_decision_is_open_again() -> None:
    fill("accept")
    apply(Config(), TABLE)
    corrections.undo(ROOT)
    assert apply(Config(), TABLE).relabelled == 1
    one = corrections.patches(ROOT)[0].corrections[0]
    assert one == Correction(sha256=DIGESTS[0], path='a, "0".png', label="circle", to="cross")

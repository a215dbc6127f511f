"""wf suspects."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from running import Run

HOME = Path("generations/gen1/evaluation/iter_2/suspects")


@pytest.fixture
def listed(trained: Run) -> list[dict[str, str]]:
    """The rows of the table, three decided."""
    trained("suspects", "--top", "4", "--json")
    with (HOME / "suspects.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row, decision in zip(rows, ("accept", "refuse", "remove"), strict=False):
        row["decision"] = decision
    with (HOME / "suspects.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    return rows


def test_json_and_files(trained: Run) -> None:
    shutil.move("images/other/0003.png", "images/character/wrong.png")
    trained("prepare")
    trained("train", "--max-iter", "2")
    document = trained("suspects", "--top", "60", "--json").json
    scores = [one["score"] for one in document["suspects"]]
    assert scores == sorted(scores, reverse=True)
    assert "images/character/wrong.png" in [one["path"] for one in document["suspects"]]
    assert Path(document["csv"]).name == "suspects.csv"
    assert Path(document["twins_csv"]).is_file()
    assert all(Path(path).is_file() for path in document["sheets"])
    kept = Path("generations/gen2/evaluation/iter_2/suspects/suspects.json")
    assert json.loads(kept.read_text()) == document
    assert Path(document["csv"]).parent == kept.parent


def test_the_report_finds_it_wherever_the_sheets_go(trained: Run) -> None:
    trained("suspects", "--top", "3", "--out", "there")
    assert Path("there/suspects.csv").is_file()
    told = trained("report", "--json").json
    assert told["suspects"] == json.loads((HOME / "suspects.json").read_text())["suspects"]
    assert "Labels that may be wrong" in Path(told["path"]).read_text()


def test_words_for_people(trained: Run) -> None:
    ran = trained("suspects", "--top", "2")
    assert ran.out.startswith("gen1/iter_2: ")
    assert "another class is likelier than the label for" in ran.out
    assert "of 60 pictures; the 2 most doubtful are listed" in ran.out
    assert f"wf suspects --apply {HOME / 'suspects.csv'}" in ran.out


def test_applied_obeyed_and_taken_back(trained: Run, listed: list[dict[str, str]]) -> None:
    done = trained("suspects", "--apply", HOME / "suspects.csv", "--json").json
    assert (done["relabelled"], done["refused"], done["removed"], done["open"]) == (1, 1, 1, 1)
    assert trained("prepare", "--json").json["corrections"] == {
        "patches": ["001"],
        "relabelled": 1,
        "removed": 1,
        "overruled": 0,
    }
    again = trained("suspects", "--gen", "1", "--top", "60", "--json").json
    assert again["decided"] == 3
    assert not {row["path"] for row in listed[:3]} & {one["path"] for one in again["suspects"]}
    ran = trained("suspects", "--undo")
    assert "patch 001 reverted (3 decisions" in ran.out
    back = trained("prepare", "--json").json
    assert back["corrections"]["patches"] == []
    assert "nothing to undo" in trained("suspects", "--undo", code=2).err


def test_decisions_are_not_written_over(trained: Run, listed: list[dict[str, str]]) -> None:
    ran = trained("suspects", code=2)
    assert "holds 3 decisions that have not been applied" in ran.err
    assert f"wf suspects --apply {HOME / 'suspects.csv'}" in ran.err


def test_a_damaged_table(trained: Run, listed: list[dict[str, str]]) -> None:
    table = HOME / "suspects.csv"
    table.write_text(table.read_text().replace("accept", "yes", 1))
    ran = trained("suspects", "--apply", table, code=3)
    assert "line 2: decision is 'yes', expected accept, refuse, remove or the name of a class" in ran.err
    assert not Path("corrections").exists()
    assert "use one of them" in trained("suspects", "--undo", "--apply", table, code=2).err
    assert "wf suspects --gen 3" in trained("suspects", "3", code=2).err

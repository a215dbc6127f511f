"""wf next."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from running import Run

from workflow.demo.drawing import draw


def pile() -> str:
    """12 new pictures and 5 that the generation has."""
    draw(Path("pile"), count=12, seed=98)
    for index in range(5):
        shutil.copy(f"images/other/000{index}.png", f"pile/known{index}.png")
    return "pile"


def test_json(trained: Run) -> None:
    document = trained("next", pile(), "--count", "8", "--json").json
    assert (document["count"], document["known"], len(document["next"])) == (17, 5, 8)
    assert document["weights"].keys() == {"margin", "novelty"}
    with Path(document["csv"]).open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == [one["path"] for one in document["next"]]
    assert Path(document["sheets"][0]).name == "next.png"


def test_words_for_people(trained: Run) -> None:
    ran = trained("next", pile(), "--count", "3", "--out", "there")
    lines = ran.out.splitlines()
    assert lines[0] == "3 of 17 pictures of pile to label next"
    assert "left out: 5 that are in a generation" in ran.out
    assert lines[-4:-2] == ["table          there/next.csv", "contact sheet  there/next.png"]
    assert lines[-1] == "  wf next --apply there/next.csv"
    assert lines[1].startswith("1. ")


def test_nothing_to_label(trained: Run) -> None:
    ran = trained("next", "images/other", "--out", "there")
    assert ran.out.startswith("0 of 30 pictures")
    assert "wf next --apply" not in ran.out
    assert not Path("there").exists()


def decide(table: Path, *decisions: str) -> list[dict[str, str]]:
    """Fill in the first rows; returns all rows."""
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row, decision in zip(rows, decisions, strict=False):
        row["decision"] = decision
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return rows


def test_decisions_are_applied_once_and_not_written_over(trained: Run) -> None:
    trained("next", pile(), "--count", "6", "--out", "there")
    table = Path("there/next.csv")
    rows = decide(table, "accept", "other", "refuse", "character")
    assert "holds 4 decisions that have not been applied" in trained("next", "pile", "--out", "there", code=2).err
    Path("images/character").joinpath(Path(rows[3]["path"]).name).write_bytes(b"another picture of that name")
    document = trained("next", "--apply", table, "--json").json
    assert (document["refused"], document["open"], document["present"]) == (1, 2, 0)
    copies = [Path(document["copied"][row["path"]]) for row in (rows[0], rows[1], rows[3])]
    assert [path.parent.as_posix() for path in copies] == [
        f"images/{rows[0]['suggested']}", "images/other", "images/character",
    ]  # fmt: skip
    assert copies[2].stem == Path(rows[3]["path"]).stem + "-2"
    for copy, row in zip(copies, (rows[0], rows[1], rows[3]), strict=True):
        assert copy.read_bytes() == Path(row["path"]).read_bytes()
    again = trained("next", "--apply", table)
    assert again.out.startswith(f"no new picture decided in {table} (3 already there, 1 refused, 2 open)")
    trained("next", "pile", "--count", "3", "--out", "there")  # what was applied may be written over
    refused = rows[2]["path"]
    found = trained("next", "pile", "--count", "99", "--out", "elsewhere")
    assert "1 that you refused" in found.out
    assert refused not in Path("elsewhere/next.csv").read_text()
    trained("suspects", "--undo")
    trained("next", "pile", "--count", "99", "--out", "offered")
    assert refused in Path("offered/next.csv").read_text()
    Path(copies[2].with_name(Path(rows[3]["path"]).name)).unlink()
    assert trained("prepare", "--json").json["changes"]["added"] == 3


def test_decisions_that_cannot_be_obeyed(trained: Run) -> None:
    trained("next", pile(), "--count", "4", "--out", "there")
    table = Path("there/next.csv")
    before = sorted(Path("images").rglob("*"))
    decide(table, "accept", "charakter")
    ran = trained("next", "--apply", table, code=3)
    assert "line 3: decision is 'charakter', expected accept, refuse or the name of a class" in ran.err
    assert "did you mean 'character'?" in ran.err
    assert sorted(Path("images").rglob("*")) == before
    Path("images/diagram").mkdir()  # a new class is a new folder
    rows = decide(table, "other", "diagram", "other")
    Path(rows[0]["path"]).unlink()
    Path(rows[2]["path"]).write_bytes(b"changed")
    ran = trained("next", "--apply", table)
    assert ran.out.startswith("copied 1 diagram to images/diagram (0 refused, 1 open)")
    assert f"skipped {rows[0]['path']}: it cannot be read" in ran.err
    assert f"skipped {rows[2]['path']}: it has changed since it was listed" in ran.err
    assert "use one of them" in trained("next", "pile", "--apply", table, code=2).err
    assert "missing argument" in trained("next", code=2).err


def test_pictures_go_beside_the_training_pictures(trained: Run) -> None:
    """Where images/ has train/ and test/."""
    for name in ("character", "other"):
        for split in ("train", "test"):
            Path("images", split, name).mkdir(parents=True)
        for number, path in enumerate(sorted(Path("images", name).iterdir())):
            path.rename(Path("images", "train" if number % 3 else "test", name, path.name))
        Path("images", name).rmdir()
    draw(Path("pile"), count=6, seed=98)
    trained("next", "pile", "--out", "there")
    decide(Path("there/next.csv"), "other")
    assert "copied 1 other to images/train/other" in trained("next", "--apply", "there/next.csv").out

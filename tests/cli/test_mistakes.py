"""wf mistakes."""

from __future__ import annotations

from pathlib import Path

from running import Run

KEPT = Path("generations/gen1/evaluation/iter_2/gen1-test")


def test_json_sheet_and_links(trained: Run) -> None:
    evaluated = trained("evaluate", "images", "--json").json
    ran = trained("mistakes", "images", "--json", "--out", "out")
    document = ran.json
    wrong = evaluated["count"] - evaluated["correct"]
    assert document["count"] == len(document["mistakes"]) == wrong > 0
    shares = [one["probability"] for one in document["mistakes"]]
    assert shares == sorted(shares, reverse=True)
    assert document["sheets"] == ["out/mistakes.png"]
    assert document["folder"] == "out/mistakes"
    for one in document["mistakes"]:
        assert Path(one["link"]).resolve() == Path(one["path"]).resolve()
        assert Path(one["link"]).parent.name == f"{one['true']}-as-{one['predicted']}"


def test_a_cell_keeps_the_other_links(trained: Run) -> None:
    document = trained("mistakes", "images", "--json").json
    cell = document["cells"][0]
    name = f"{cell['true']}-as-{cell['predicted']}"
    ran = trained("mistakes", "images", "--cell", f"{cell['true']}:{cell['predicted']}", "--top", "1", "--json").json
    assert ran["count"] == cell["count"]
    assert [Path(path).name for path in ran["sheets"]] == [f"mistakes-{name}.png"]
    assert len(list(Path(ran["folder"]).rglob("*.png"))) == document["count"]
    other = f"{cell['predicted']}:{cell['true']}"
    if len(document["cells"]) == 1:
        empty = trained("mistakes", "images", "--cell", other).out
        assert f": 0 of '{cell['predicted']}' predicted as '{cell['true']}'" in empty
    assert "knows no class 'x'" in trained("mistakes", "--cell", "x:other", code=2).err


def test_lines_for_people(trained: Run) -> None:
    ran = trained("mistakes", "images")
    lines = ran.out.splitlines()
    assert lines[0].startswith("gen1/iter_2 on images: ")
    assert lines[0].endswith(" of 60 wrong")
    assert "true -> predicted" in ran.out
    assert lines[-1].endswith("/mistakes")
    Path(lines[-2].split()[-1]).stat()


def test_pictures_that_are_gone(trained: Run) -> None:
    document = trained("mistakes", "--json").json
    if document["count"]:
        Path(document["mistakes"][0]["path"]).unlink()
    again = trained("mistakes", "--json")
    assert again.json["count"] == document["count"]
    assert ("moved or deleted" in again.err) == bool(document["count"])

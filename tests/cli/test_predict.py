"""wf predict."""

from __future__ import annotations

import csv
from pathlib import Path

from running import Run

IMAGE = "images/character/0000.png"


def test_json_for_a_folder(trained: Run) -> None:
    Path("images/other/broken.png").write_bytes(b"")
    ran = trained("predict", "images/other", IMAGE, "--json")
    document = ran.json
    assert len(document["predictions"]) == 31
    first = document["predictions"][-1]
    assert first["path"] == IMAGE
    assert first["probability"] == max(first["probabilities"].values())
    assert first["label"] in first["probabilities"]
    assert [one["path"] for one in document["skipped"]] == ["images/other/broken.png"]
    assert "skipped images/other/broken.png" in ran.err


def test_lines_for_people_and_a_table(trained: Run) -> None:
    ran = trained("predict", "images/other", "--snapshot", "best", "--csv", "out/labels.csv")
    lines = ran.out.splitlines()
    assert len(lines) == 33
    assert lines[0].split() == ["label", "calibrated", "prob", "picture"]
    assert len({line.index("images/") for line in lines[1:-2]}) == 1  # in columns
    assert lines[1].endswith("images/other/0000.png")
    assert lines[-2].startswith("gen1/iter_2: ")
    assert lines[-1] == "table: out/labels.csv"
    with Path("out/labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 30
    assert list(rows[0]) == ["path", "label", "probability", "calibrated", "character", "other"]


def test_a_missing_path(trained: Run) -> None:
    assert "imag does not exist" in trained("predict", "imag", code=2).err


def test_sorted_by_class_and_confidence(trained: Run) -> None:
    document = trained("predict", "images/other", "--sort", "sorted", "--json").json
    shares = {one["path"]: (one["label"], one["probability"]) for one in document["predictions"]}
    links = [Path(link) for link in document["sorted"].values()]
    assert len(links) == len(shares) == 30
    for path, link in document["sorted"].items():
        label, probability = shares[path]
        assert Path(link).parent == Path("sorted") / label
        assert f"-{probability:.4f}-" in Path(link).name
        assert Path(link).is_symlink()
        assert Path(link).read_bytes() == Path(path).read_bytes()
    order = [float(link.name.split("-")[1]) for link in sorted(links, key=lambda link: link.name)]
    assert order == sorted(order, reverse=True)
    trained("predict", "images/character", "--sort", "sorted", "--copy")  # in place of the first
    assert len(list(Path("sorted").glob("*/*"))) == 30
    assert not any(path.is_symlink() for path in Path("sorted").glob("*/*"))
    refused = trained("predict", "images/other", "--sort", "images", code=2).err
    assert "was not made by wf" in refused
    assert "--out" not in refused  # an option that predict lacks
    assert "--copy needs --sort" in trained("predict", "images/other", "--copy", code=2).err


def test_an_address_is_labelled_and_credentials_are_not_told(trained: Run) -> None:
    here = Path.cwd()
    ran = trained("predict", f"local://{here}/images/other/", "--json")
    assert [one["path"] for one in ran.json["predictions"]] == [
        f"local://{path}" for path in sorted((here / "images/other").iterdir())
    ]
    for command in (
        ("predict", "s3://key:secret@bucket/pile", "--json"),
        ("prepare", "s3://bucket/pile?token=secret"),
        ("predict", "images/other", "--share", "1/2", "--out", "s3://bucket/x?token=secret"),
    ):
        refused = trained(*command, code=2)
        assert "would be written into records" in refused.err
        assert "secret" not in refused.out + refused.err
    assert not [path for path in here.rglob("*") if path.is_file() and b"secret" in path.read_bytes()]


def test_shares_of_a_folder_are_gathered(trained: Run) -> None:
    ran = trained("predict", "images/other", "--out", "answers", "--share", "1/1", "--json")
    assert (ran.json["share"], ran.json["files"], ran.json["out"]) == ("1/1", 30, "answers")
    gathered = trained("predict", "images/other", "--out", "answers", "--gather")
    assert gathered.out == trained("predict", "images/other").out
    refused = trained("predict", "images/other", "--share", "1/2", code=2)
    assert "--out DIR goes with --share K/N, --cluster ADDRESS or --gather" in refused.err
    for option in ("--csv", "--sort"):
        refused = trained("predict", "images/other", "--out", "answers", "--share", "1/2", option, "labels", code=2)
        assert f"{option} needs the labels of all shares" in refused.err

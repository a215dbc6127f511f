"""wf prepare: flags arrive, results and errors are told; what preparing does is tested with workflow.data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from made_once import made_once
from running import Run

from workflow.cli.prepare import share
from workflow.config import Config
from workflow.demo.drawing import draw
from workflow.generations import generation


@made_once
def drawn(project: Path) -> None:
    draw(project / "images", count=60)


@pytest.fixture
def pictures(project: Path) -> Path:
    """images/character and images/other, 30 each."""
    drawn(project)
    return project / "images"


def test_the_result_for_people(wf: Run, pictures: Path) -> None:
    ran = wf("prepare")
    assert ran.out.startswith("generation 1: ")
    assert "(character, other)" in ran.out
    assert "next: wf train --gen 1" in ran.out


def test_json(wf: Run, pictures: Path) -> None:
    (pictures / "other" / "broken.png").write_bytes(b"")
    ran = wf("prepare", "images", "--json")
    document = ran.json
    assert document["generation"] == 1
    assert document["classes"] == ["character", "other"]
    assert document["train"] + document["validation"] + document["test"] == 60
    assert document["validation"] > 0
    assert [Path(one["path"]).name for one in document["skipped"]] == ["broken.png"]
    assert "warning: skipped 1 of 61 images" in ran.err
    record = generation(Config(), 1).read()
    assert record.commands == (("wf", "prepare", "images", "--json"),)


def test_flags_reach_the_settings(wf: Run, pictures: Path) -> None:
    wf(
        "prepare",
        "--test-share",
        "50%",
        "--validation-share",
        "5%",
        "--max-bad",
        "0.2",
        "--max-pixels",
        "10000",
        "--on-conflict",
        "skip",
    )
    config = generation(Config(), 1).read().config
    assert (config.split.test, config.split.validation) == (0.5, 0.05)
    expected = {"max_bad": 0.2, "max_pixels": 10000, "on_conflict": "skip"}
    assert {name: getattr(config.prepare, name) for name in expected} == expected


def test_the_next_generation_says_what_is_new(wf: Run, pictures: Path) -> None:
    wf("prepare")
    draw(pictures, count=64)
    ran = wf("prepare")
    assert "against generation 1: 4 pictures added, 0 removed" in ran.out
    assert wf("prepare", "--gen", "2", code=2).err.startswith("error: generation 2 exists")
    assert wf("prepare", "--gen", "2", "--force", "--json").json["generation"] == 2


def test_strict(wf: Run, pictures: Path) -> None:
    (pictures / "other" / "broken.png").write_bytes(b"")
    wf("prepare", "--strict", code=3)
    assert not Path("generations/gen1").exists()


def test_classes_are_dropped_and_renamed(wf: Run, pictures: Path) -> None:
    shutil.copytree(pictures / "other", pictures / "third")
    wf("prepare", "--drop-class", "third")
    (pictures / "character").rename(pictures / "pip")
    shutil.rmtree(pictures / "third")
    ran = wf("prepare", "--rename", "character=pip", "--json")
    assert ran.json["classes"] == ["pip", "other"]


@pytest.mark.parametrize("pair", ["character", "=pip", "character="])
def test_a_rename_needs_both_names(pair: str, wf: Run, pictures: Path) -> None:
    assert "expected OLD=NEW" in wf("prepare", "--rename", pair, code=2).err


def test_a_missing_folder(wf: Run, pictures: Path) -> None:
    ran = wf("prepare", "imags", "--json", code=2)
    assert ran.json["error"]["id"] == "P01"
    assert "images" in ran.json["error"]["hint"]


def test_a_generation_in_use(wf: Run, pictures: Path) -> None:  # T10
    wf("prepare")
    with generation(Config(), 1).held("wf train"):
        ran = wf("prepare", "--gen", "1", "--force", "--json", code=5)
    assert ran.json["error"]["id"] == "T10"
    assert "(wf train, since" in ran.json["error"]["message"]


@pytest.mark.parametrize(("text", "number"), [("0.15", 0.15), ("15%", 0.15), ("0", 0.0), ("100%", 1.0)])
def test_shares(text: str, number: float) -> None:
    assert share(text) == pytest.approx(number)


@pytest.mark.parametrize("text", ["150%", "-1", "many", "nan"])
def test_no_shares(text: str, wf: Run, pictures: Path) -> None:
    ran = wf("prepare", f"--max-bad={text}", code=2)
    assert "expected a share such as 0.15 or 15%" in ran.err


def test_a_full_manifest_is_json_lines(wf: Run, pictures: Path) -> None:
    wf("prepare")
    lines = generation(Config(), 1).manifest.read_text().splitlines()
    assert len([json.loads(line) for line in lines]) == 60

"""wf whatif."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from running import Run


def training_pictures() -> list[str]:
    lines = Path("generations/gen1/dataset/images.jsonl").read_text().splitlines()
    return [one["path"] for one in map(json.loads, lines) if one.get("split") == "train"]


def test_json(trained: Run) -> None:
    first, second, *_ = training_pictures()
    other = "other" if "/character/" in first else "character"
    found = trained("whatif", first, "--relabel", f"{first}={other}", "--remove", second, "--json").json
    assert (found["relabelled"], found["removed"], found["added"]) == (1, 1, 0)
    assert found["training_pictures"]["before"] - found["training_pictures"]["after"] == 1
    assert found["difference"] == pytest.approx(found["accuracy"]["after"] - found["accuracy"]["before"])
    assert found["pictures"][0]["path"] == first
    assert set(found["pictures"][0]["after"]) == {"character", "other"}


def test_a_path_with_an_equals_sign_and_no_class(trained: Run) -> None:
    assert "--relabel a.png: expected PICTURE=CLASS" in trained("whatif", "--relabel", "a.png", code=2).err
    assert "no edit" in trained("whatif", code=2).err

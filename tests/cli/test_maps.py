"""wf maps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from running import Run

IMAGE = "images/character/0000.png"


def test_json(trained: Run) -> None:
    document = trained("maps", IMAGE, "--method", "grad-cam", "--class", "other", "--json").json
    assert document["method"] == "grad-cam"
    assert document["target"] == document["class"] == "other"
    assert 0 <= document["deletion"] <= 1
    assert 0 <= document["insertion"] <= 1
    assert document["snapshot"] == "gen1/iter_2"
    assert Path(document["pictures"]["maps"]).stat().st_size > 10_000


def test_words_for_people(trained: Run) -> None:
    ran = trained("maps", IMAGE, "--method", "saliency", "--method", "occlusion", "--unit", "conv3:1", "--out", "there")
    assert "unit conv3:1" in ran.out
    assert "random" in ran.out
    assert ran.out.rstrip().endswith("there/maps-conv3_1.png")


def test_one_target_only(trained: Run) -> None:
    assert "--class and --unit" in trained("maps", IMAGE, "--class", "other", "--unit", "conv3:1", code=2).err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["maps", IMAGE, "--class", "charakter"], "no class 'charakter'\nhint: did you mean 'character'?"),
        (["twin", IMAGE, "--class", "charakter"], "no class 'charakter'\nhint: did you mean 'character'?"),
        (["dream", "--class", "charakter"], "no class 'charakter'\nhint: did you mean 'character'?"),
        (["dream", "--unit", "covn3:9"], "no blob 'covn3'\nhint: did you mean 'conv3'?"),
        (["channels", "covn3"], "no blob 'covn3'\nhint: did you mean 'conv3'?"),
    ],
    ids=lambda one: one[0] if isinstance(one, list) else "",
)
def test_a_class_or_blob_that_does_not_exist_is_reported_before_torch_is_imported(
    trained: Run, words: list[str], message: str
) -> None:
    code = (
        f"import atexit, sys, workflow.cli; sys.argv = {['wf', *words]}; "
        "atexit.register(lambda: print('torch' in sys.modules)); workflow.cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert message in done.stderr
    assert done.stdout.split()[-1] == "False"

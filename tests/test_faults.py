"""The catalogue of faults: complete, shown by wf help and in docs/errors.md."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from running import run_wf

from workflow.errors import UsageError
from workflow.faults import FAULTS, fault

ROOT = Path(__file__).parents[1]


def test_every_code_that_an_error_carries_has_an_entry_and_the_other_way_round() -> None:
    sources = [path for path in (ROOT / "workflow").rglob("*.py") if path.name != "faults.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    assert set(re.findall(r"\"([PLMXCYTRIE]\d\d)\"", text)) == set(FAULTS)


@pytest.mark.parametrize("code", FAULTS)
def test_entries_are_sentences(code: str) -> None:
    title, meaning, remedy = fault(code)
    assert title[0].islower()
    assert not title.endswith(".")
    for sentence in (meaning, remedy):
        assert sentence.endswith(".")
        assert sentence[0].isupper() or sentence[0] == "`"


def test_help_explains_a_code(project: Path) -> None:
    assert FAULTS["L03"].remedy in run_wf("help", "L03").out
    assert run_wf("help", "l03").out == run_wf("help", "L03").out
    assert run_wf("help", "L03", "--json").json == {"id": "L03", **FAULTS["L03"]._asdict()}
    assert "no error has the code 'L99'" in run_wf("help", "L99", code=2).err


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(UsageError, match="no error has the code 'Q11'"):
        fault("Q11")


def test_the_page_is_up_to_date() -> None:
    subprocess.run([sys.executable, ROOT / "scripts" / "errors", "--check"], check=True)

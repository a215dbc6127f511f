"""docs/python-api.md runs, block by block, in an empty folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from workflow import Project, Snapshot

PAGE = Path(__file__).parents[2] / "docs" / "python-api.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_its_blocks_run(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) > 5
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert {path.name for path in elsewhere.iterdir()} == {"mybot", "pictures"}
    assert "generation 9 not found" in capsys.readouterr().out


def test_the_methods_that_it_names_exist() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for class_, sentence in ((Snapshot, "A snapshot answers"), (Project, "A project answers")):
        listed = re.findall(r"`(\w+)`", text.partition(sentence)[2].partition(".\n")[0])
        assert len(listed) > 10
        assert [name for name in listed if not hasattr(class_, name)] == []

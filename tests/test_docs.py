"""The pages of docs/ and the README: their commands, options, links and files exist."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
from running import run_wf

from workflow.cli.app import GROUPS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"(?:^ {4}.*\n(?:\s*\n(?= {4}))?)+", re.MULTILINE)


def commands(page: Path) -> list[list[str]]:
    """The `wf` command lines of a page: those in indented blocks, and those in backticks that name a command."""
    text = page.read_text(encoding="utf-8")
    lines = [line.strip() for block in BLOCK.findall(text) for line in block.splitlines()]
    lines += re.findall(r"`(wf [a-z][^`]*)`", text)
    found = []
    for line in lines:
        for part in re.split(r"&&|\|\|", line.partition("  #")[0].partition(" # ")[0]):
            if re.match(r"wf [a-z]", part.strip()) and "…" not in part:
                found.append(shlex.split(part.strip())[1:])
    return found


CASES = [(page.name, line) for page in PAGES for line in commands(page)]


@pytest.mark.parametrize(
    ("page", "line"), CASES, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_commands_and_options_exist(page: str, line: list[str]) -> None:
    words = [word for word in line if not word.startswith("-")]
    name = words[:2] if words[0] in GROUPS else words[:1]
    if name[0] in ("help", "version") or not re.fullmatch(r"[a-z]+", name[0]) or "X" in name[0]:
        return
    shown = help_of(*name)
    for word in line:
        if word.startswith("--"):
            assert re.search(rf"{re.escape(word.partition('=')[0])}\b", shown), f"{page}: wf {' '.join(line)}"


@cache
def help_of(*name: str) -> str:
    return run_wf(*name, "--help").out


def test_there_are_many() -> None:
    assert len(CASES) > 60


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_modules_and_files_that_pages_name_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:workflow|tests|scripts|docs)/[\w./]+\w/?)`", text):
        if name.isupper() or "NAME" in name:
            continue
        assert (ROOT / name).exists(), f"{page.name}: {name}"


def test_the_architecture_lists_every_room() -> None:
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = {path.name for path in (ROOT / "workflow").iterdir() if (path / "__init__.py").exists()}
    files = {path.name for path in (ROOT / "workflow").glob("*.py")} - {"__init__.py", "__main__.py"}
    assert {room for room in rooms if f"`{room}/`" not in text} == set()
    assert {file for file in files if f"`{file}`" not in text} == set()

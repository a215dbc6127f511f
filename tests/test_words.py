"""Tables of text."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from workflow.report.evaluation import shortened
from workflow.words import and_more, columns, counted, named, share, table


def test_columns_line_up() -> None:
    assert table([["class", "F1"], ["a", "0.5"], ["longer", "n/a"]]) == ["class    F1", "a       0.5", "longer  n/a"]
    assert table([["1", "a", "b"], ["22", "bbb", "c"]], left=(1, 2)) == [" 1  a    b", "22  bbb  c"]


def test_shares() -> None:
    assert (share(0.73931), share(math.nan)) == ("0.7393", "n/a")


def test_short_names_are_still_different() -> None:
    assert shortened(["airplane", "cat"]) == ["airpla", "cat"]
    assert shortened(["character one", "character two"]) == ["character o", "character t"]


def test_one_plural() -> None:
    assert [counted(number, "picture") for number in (0, 1, 2000)] == ["0 pictures", "1 picture", "2,000 pictures"]


def test_what_a_shortened_list_leaves_out() -> None:
    assert (and_more(3, 3), and_more(1003, 3)) == ([], ["and 1,000 more"])
    assert named(["fox", "cat", "dog"], 2) == "'fox', 'cat' and 1 more"
    assert named(["fox"], 2) == "'fox'"


@pytest.mark.parametrize("text", ["fox", "狐狸", "フォックス", "e\u0301", "naïve", "ｆｕｌｌ", "한국어"])
def test_columns_are_those_of_the_terminal(text: str) -> None:
    assert columns(text) == cell_len(text)


def test_nothing_else_makes_a_plural() -> None:
    """One home for each fact: no other file writes the `s` of a number, or `and N more`, by itself."""
    sources = Path(__file__).parents[1] / "workflow"
    own = re.compile(r"""else\s*['"]s['"]|['"]s['"] \* |\bmore\b["'] if len\(.*> """)
    texts = {path: path.read_text(encoding="utf-8") for path in sources.rglob("*.py") if path.name != "words.py"}
    assert [path for path, text in texts.items() if own.search(text)] == []

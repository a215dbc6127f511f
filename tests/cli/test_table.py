"""Tables of text."""

from __future__ import annotations

import math

from workflow.cli.evaluate import shortened
from workflow.cli.table import share, table


def test_columns_line_up() -> None:
    assert table([["class", "F1"], ["a", "0.5"], ["longer", "n/a"]]) == ["class    F1", "a       0.5", "longer  n/a"]
    assert table([["1", "a", "b"], ["22", "bbb", "c"]], left=(1, 2)) == [" 1  a    b", "22  bbb  c"]


def test_shares() -> None:
    assert (share(0.73931), share(math.nan)) == ("0.7393", "n/a")


def test_short_names_are_still_different() -> None:
    assert shortened(["airplane", "cat"]) == ["airpla", "cat"]
    assert shortened(["character one", "character two"]) == ["character o", "character t"]

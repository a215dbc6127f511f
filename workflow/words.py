"""Numbers and tables as text: plurals, shares, "and N more", aligned columns."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

PARTS = {"train": "training", "validation": "validation", "test": "test"}
"""The names of a generation's splits before the word `pictures`."""

CHOSEN_BY_TEST = "the best snapshot was chosen by its accuracy on these test pictures, which flatters it a little"


def counted(number: int, noun: str) -> str:
    """`1 picture`, `2,000 pictures`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def and_more(count: int, shown: int) -> list[str]:
    """The line below a list that shows the first `shown` of `count`; empty if it shows all of them."""
    return [f"and {count - shown:,} more"] if count > shown else []


def named(names: Sequence[str], most: int) -> str:
    """`'fox', 'cat' and 3 more`: the first `most` of the names."""
    return " ".join([", ".join(f"'{name}'" for name in names[:most]), *and_more(len(names), most)])


def share(value: float | None, *, percent: bool = False) -> str:
    """`0.7393`, or `73.93%`; `n/a` for NaN (0/0) and for None."""
    if value is None or math.isnan(value):
        return "n/a"
    return f"{value:.2%}" if percent else f"{value:.4f}"


def table(rows: Sequence[Sequence[str]], *, left: Sequence[int] = (0,)) -> list[str]:
    """Lines of a table; columns are aligned right, except those numbered in `left`."""
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]

    def padded(place: int, text: str) -> str:
        blank = " " * (widths[place] - columns(text))
        return text + blank if place in left else blank + text

    return ["  ".join(padded(place, text) for place, text in enumerate(row)).rstrip() for row in rows]


def columns(text: str) -> int:
    """Columns of a terminal that a text takes: two for a Chinese character, none for a combining accent.

    Source: Unicode Standard Annex 11, classes W and F.
    """
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    marks = sum(unicodedata.category(letter) in ("Mn", "Me", "Cf") for letter in text)
    return len(text) + wide - marks


def joined(blocks: Sequence[Sequence[str]]) -> str:
    """Blocks of lines, an empty line between two of them; empty blocks are left out."""
    return "\n\n".join("\n".join(block) for block in blocks if block)


def drawn(pictures: Mapping[str, Path] | None) -> list[str]:
    """A line for each picture that was drawn: its name and its path."""
    width = max(map(len, pictures), default=0) if pictures else 0
    return [f"{name:{width}}  {path}" for name, path in (pictures or {}).items()]


def duration(seconds: float) -> str:
    """0:42, 12:05, 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def by(shape: Sequence[int]) -> str:
    """A shape for people: `3×32×32`."""
    return "×".join(str(size) for size in shape)

"""Tables of text, in columns that line up."""

from __future__ import annotations

import math
from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]], *, left: Sequence[int] = (0,)) -> list[str]:
    """Lines of a table; columns end on the right, but those numbered in `left` begin on the left."""
    from rich.cells import cell_len  # a Chinese character takes two columns

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]

    def padded(place: int, text: str) -> str:
        blank = " " * (widths[place] - cell_len(text))
        return text + blank if place in left else blank + text

    return ["  ".join(padded(place, text) for place, text in enumerate(row)).rstrip() for row in rows]


def share(value: float) -> str:
    """`0.7393`, and `n/a` for what is 0/0."""
    return "n/a" if math.isnan(value) else f"{value:.4f}"

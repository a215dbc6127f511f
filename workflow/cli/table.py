"""Tables of text, in columns that line up."""

from __future__ import annotations

import math
from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]], *, left: Sequence[int] = (0,)) -> list[str]:
    """Lines of a table; columns end on the right, but those numbered in `left` begin on the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            f"{text:<{width}}" if place in left else f"{text:>{width}}"
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def share(value: float) -> str:
    """`0.7393`, and `n/a` for what is 0/0."""
    return "n/a" if math.isnan(value) else f"{value:.4f}"

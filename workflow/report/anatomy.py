"""A net's layers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workflow.words import table

if TYPE_CHECKING:
    from workflow.models.anatomy import Anatomy


def describe(net: Anatomy) -> str:
    """The layers as a table, sums below."""
    from workflow.net.build import AUTOMATIC  # protobuf, which --help does not need

    rows: list[Sequence[str]] = [("layer", "type", "from → to", "shape", "params", "mult-adds")]
    for part in net.parts:
        shapes = ", ".join("×".join(map(str, shape)) or "1" for shape in part.tops.values())
        made = [name for name in part.tops if name != AUTOMATIC]
        tops = [] if made in ([], [part.name], list(part.bottoms)) else [f"→ {', '.join(made)}"]
        rows.append(
            (
                part.name,
                part.type,
                " ".join([*([", ".join(part.bottoms)] if part.bottoms else []), *tops]),
                shapes,
                f"{part.parameters:,}" if part.parameters else "",
                f"{part.multiply_adds:,}" if part.multiply_adds else "",
            )
        )
    rows.append(("", "", "", f"{len(net.parts)} layers", f"{net.parameters:,}", f"{net.multiply_adds:,}"))
    return f"{net.name or net.source} ({net.phase}, mult-adds: multiply-adds for one picture)\n" + "\n".join(
        table(rows, left=(0, 1, 2, 3))
    )

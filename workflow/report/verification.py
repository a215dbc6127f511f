"""A verification in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflow.checks.verification import Verification


def describe(result: Verification) -> str:
    """What was compared, and the largest difference."""
    lines = [
        f"{result.snapshot or result.generation}: {result.checked:,} records checked, "
        f"largest difference {result.max_abs_difference:.3g}"
    ]
    lines += [f"{engine} engine: largest difference {difference:.3g}" for engine, difference in result.engines.items()]
    for what, paths in (("gone", result.missing), ("changed", result.changed)):
        if paths:
            lines.append(f"{len(paths):,} pictures are {what} since they were prepared, such as {paths[0]}")
    return "\n".join(lines)

"""How many bottoms and tops a layer type takes, and whether a layer has as many."""

from __future__ import annotations

from workflow.errors import NetError
from workflow.net.spec import LayerSpec

Range = tuple[int, int | None]
"""Least and most, None for any number."""


def check_arity(spec: LayerSpec, bottoms: Range, tops: Range) -> None:
    """Refuse a layer with too few or too many bottoms or tops.

    Raises:
        NetError: says which, how many there are and how many were expected.
    """
    for what, names, (least, most) in (("bottoms", spec.bottoms, bottoms), ("tops", spec.tops, tops)):
        if len(names) < least or (most is not None and len(names) > most):
            expected = f"{least}" if most == least else f"at least {least}" if most is None else f"{least} to {most}"
            raise NetError(f"layer '{spec.name}' ({spec.type}): {len(names)} {what}, expected {expected}")

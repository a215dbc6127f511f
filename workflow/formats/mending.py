"""Hints for damaged data sets that preserve everything made with them."""

from __future__ import annotations

import re
from pathlib import Path

FOREIGN = "copy it again, or make it again from its pictures"
_OURS = re.compile(r"(?:^|/)gen(\d+)/dataset(?:/|$)")


def make_again(path: Path | str) -> str:
    """The hint for a damaged file of a data set, of a generation or from elsewhere."""
    match = _OURS.search(Path(path).as_posix())
    if match is None:
        return FOREIGN
    return f"wf prepare makes the next generation from the pictures; generation {match[1]} and its snapshots stay"

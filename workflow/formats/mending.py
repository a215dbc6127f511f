"""What helps against a data set that is damaged, without a loss of anything that was made with it."""

from __future__ import annotations

import re
from pathlib import Path

FOREIGN = "copy it again, or make it again from its pictures"
_OURS = re.compile(r"(?:^|/)gen(\d+)/dataset(?:/|$)")


def make_again(path: Path | str) -> str:
    """The hint for a file of a data set: of a generation of ours, or of a database from elsewhere."""
    match = _OURS.search(Path(path).as_posix())
    if match is None:
        return FOREIGN
    return f"wf prepare makes the next generation from the pictures; generation {match[1]} and its snapshots stay"

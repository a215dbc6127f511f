"""`wf live --promote`: use a new generation only if it is not significantly worse than the current one."""

from __future__ import annotations

from typing import Any

from workflow.config import Config
from workflow.errors import FindingError
from workflow.evaluation.diff import diff
from workflow.exams.answers import Progress
from workflow.generations.live import live, pin


def promote(config: Config, *, progress: Progress | None = None) -> dict[str, Any]:
    """Pin the best snapshot of the newest generation whose training has ended, unless `wf diff` says it is worse.

    Args:
        config: says where the generations are.
        progress: called with (done, all) while both are asked.

    Returns:
        promoted, and verdict (as `wf diff` gives it, None where there is nothing newer).

    Raises:
        FindingError: it is worse; nothing is changed.
        UsageError, DataError: as `live` and `diff`.
    """
    now = live(config)
    if now.candidate is None or now.candidate == now.reference:
        return {"promoted": False, "verdict": None}
    found = diff(config, now.reference.name, now.candidate.name, history=False, progress=progress)
    if found.verdict.outcome == "worse":
        raise FindingError(
            f"{found.verdict.words}; {now.reference.name} is still the default snapshot",
            hint=f"wf diff {now.reference.name} {now.candidate.name} shows the pictures",
        )
    pin(config, now.candidate)
    return {"promoted": True, "verdict": found.verdict.json()}

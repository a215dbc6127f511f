"""Whether the difference between two snapshots is significant, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from workflow.evaluation.comparison import Comparison
from workflow.evaluation.seed_spread import Band, seed_p_value

LEVEL = 0.05
"""A difference that chance makes more often than this is called noise."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether the later snapshot is better or worse, or the difference is noise."""

    outcome: Literal["better", "worse", "noise"]
    words: str
    seed_p_value: float | None
    """P-value of the seeds, where a generation was trained with several; see `band.seed_p_value`."""

    def json(self) -> dict[str, Any]:
        """All fields."""
        return {"outcome": self.outcome, "words": self.words, "seed_p_value": self.seed_p_value}


def judge(comparison: Comparison, before: Band | None, after: Band | None) -> Verdict:
    """Weigh the pictures that changed and, where seeds were tried, how far seeds alone move the accuracy.

    Signal is what neither the choice of pictures (McNemar) nor the seeds explain, each at LEVEL. Without a band the
    words say that seeds were not tried.

    Args:
        comparison: of the two snapshots.
        before: accuracies of the earlier generation's seeds on the same pictures; None if it has one seed.
        after: of the later one's.
    """
    was, now = (right / comparison.count for right in comparison.right)
    seeds = seed_p_value(before or was, after or now)
    pictures = comparison.p_value
    outcome: Literal["better", "worse", "noise"]
    if pictures >= LEVEL or (seeds is not None and seeds >= LEVEL):
        outcome = "noise"
    else:
        outcome = "better" if comparison.difference > 0 else "worse"
    parts = [_of_pictures(comparison)]
    if seeds is not None:
        parts.append(_of_seeds(before, after, seeds))
    elif outcome != "noise":
        parts.append("the effect of the random seed was not measured")
    parts += _of_classes(comparison, outcome)
    judged = f"{comparison.after} is {outcome} than {comparison.before}"
    if outcome == "noise":
        judged = f"{comparison.after} may be better or worse than {comparison.before}"
    return Verdict(
        outcome=outcome,
        words="; ".join([f"{'no clear difference' if outcome == 'noise' else 'a clear difference'}: {judged}", *parts]),
        seed_p_value=seeds,
    )


def chance(p_value: float) -> str:
    """`p = 0.031`, `p < 0.001`."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"


def _of_pictures(one: Comparison) -> str:
    fixed, broken = len(one.fixed), len(one.broken)
    changed = f"{fixed:,} fixed against {broken:,} broken of {one.count:,} pictures"
    if not fixed + broken:
        return "no picture changed between right and wrong"
    explains = "that could be chance" if one.p_value >= LEVEL else "that is more than chance"
    return f"{changed}: {explains} ({chance(one.p_value)}, McNemar)"


def _of_classes(one: Comparison, outcome: str) -> list[str]:
    """Classes that chance does not explain and that the overall outcome hides; each at LEVEL / number of classes."""
    moved = []
    for changed in one.per_class:
        better = changed.after > changed.before
        if changed.p_value * len(one.per_class) >= LEVEL or outcome == ("better" if better else "worse"):
            continue
        shares = f"{changed.before / changed.count:.4f} to {changed.after / changed.count:.4f}"
        moved.append(f"'{changed.name}' is {'better' if better else 'worse'}, recall {shares}")
    return [f"but {' and '.join(moved)}"] if moved else []


def _of_seeds(before: Band | None, after: Band | None, p_value: float) -> str:
    spread = " and ".join(
        f"{next(iter(band.values))} {band.mean:.4f} ± {band.sd:.4f} over {len(band.values)} seeds"
        for band in (before, after)
        if band is not None
    )
    place = "within" if p_value >= LEVEL else "beyond"
    return f"{spread}: the difference is {place} the variation between seeds ({chance(p_value)})"

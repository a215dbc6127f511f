"""Compare two snapshots on the same pictures: what the later one fixed and broke, and its significance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.errors import DataError
from workflow.evaluation.metrics import interval
from workflow.exams.answers import Answers

_Z = 1.959963984540054  # 95 % of the normal distribution lie within so many standard deviations
_Indices = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A picture that at least one of the two snapshots got wrong."""

    path: str
    sha256: str
    truth: str | None
    before: str
    """The class that the earlier snapshot gave it."""
    before_probability: float
    """Probability of that class, 0..1."""
    after: str
    after_probability: float


@dataclass(frozen=True, kw_only=True)
class ClassChange:
    """The pictures of one class."""

    name: str
    count: int
    before: int
    """How many of them the earlier snapshot got right."""
    after: int
    fixed: int
    broken: int

    @property
    def p_value(self) -> float:
        """McNemar's, of this class alone."""
        return mcnemar(self.broken, self.fixed)

    def json(self) -> dict[str, Any]:
        """Counts, the shares that were right, and the p-value."""
        return {
            "pictures": self.count,
            "before": self.before / self.count,
            "after": self.after / self.count,
            "fixed": self.fixed,
            "broken": self.broken,
            "p_value": self.p_value,
        }


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The changes on the same pictures; cases are sorted by the confidence of the wrong answer."""

    before: str
    """The earlier snapshot: `gen4/iter_6000`."""
    after: str
    exam: str
    count: int
    """Pictures that both answered."""
    fixed: tuple[Case, ...]
    """Wrong before, right after."""
    broken: tuple[Case, ...]
    """Right before, wrong after."""
    still_wrong: tuple[Case, ...]
    per_class: tuple[ClassChange, ...]
    unknown: dict[str, dict[str, int]]
    """Snapshot -> class that it does not know -> pictures of it, which count as wrong."""
    unpaired: int
    """Pictures that could be read for only one of the two; they are not counted."""

    @property
    def right(self) -> tuple[int, int]:
        """Correct answers before and after."""
        both = self.count - len(self.fixed) - len(self.broken) - len(self.still_wrong)
        return both + len(self.broken), both + len(self.fixed)

    @property
    def p_value(self) -> float:
        """McNemar's, exact."""
        return mcnemar(len(self.broken), len(self.fixed))

    @property
    def difference(self) -> float:
        """Accuracy after less accuracy before, -1..1."""
        return (len(self.fixed) - len(self.broken)) / self.count

    def json(self) -> dict[str, Any]:
        """Lists of paths, and the statistics."""
        before, after = self.right
        return {
            "before": self.before,
            "after": self.after,
            "exam": self.exam,
            "pictures": self.count,
            "unpaired": self.unpaired,
            "accuracy": {"before": before / self.count, "after": after / self.count},
            "interval": {"before": interval(before, self.count), "after": interval(after, self.count)},
            "difference": self.difference,
            "difference_interval": paired_interval(len(self.broken), len(self.fixed), self.count),
            "fixed": [one.path for one in self.fixed],
            "broken": [one.path for one in self.broken],
            "still_wrong": [one.path for one in self.still_wrong],
            "p_value": self.p_value,
            "per_class": {one.name: one.json() for one in self.per_class},
            "unknown_classes": self.unknown,
        }


def mcnemar(b: int, c: int) -> float:
    """The probability that `b` and `c` differ this much or more by chance: McNemar's test, exact and two-sided.

    Of b + c pictures whose answers changed between right and wrong, each goes either way with probability 1/2 if
    neither snapshot is better: min(1, 2 P(X <= min(b, c))), X ~ Binomial(b + c, 1/2).
    Source: McNemar 1947; statsmodels.stats.contingency_tables.mcnemar(exact=True) computes the same.

    Args:
        b: pictures that were right and are wrong.
        c: pictures that were wrong and are right.

    Raises:
        ValueError: a negative number.
    """
    if b < 0 or c < 0:
        raise ValueError(f"numbers of pictures cannot be negative, got {b} and {c}")
    changed, ways, tail = b + c, 1, 0
    for few in range(min(b, c) + 1):  # in whole numbers: importing scipy takes longer than this
        tail += ways  # (changed over few)
        ways = ways * (changed - few) // (few + 1)
    return min(1.0, 2 * tail / (1 << changed))


def paired_interval(b: int, c: int, count: int) -> tuple[float, float]:
    """The 95 % interval of the difference (c - b) / count of two accuracies on the same pictures.

    With p_b = (b + 1) / (n + 2) and p_c likewise: p_c - p_b ± z sqrt((p_b + p_c - (p_c - p_b)²) / (n + 2)).
    Source: Bonett and Price 2012, adjusted Wald interval for paired proportions.

    Raises:
        ValueError: b + c is more than count, or a number is negative.
    """
    if min(b, c) < 0 or b + c > count:
        raise ValueError(f"{b} and {c} of {count} pictures cannot have changed")
    lost, won, size = (b + 1) / (count + 2), (c + 1) / (count + 2), count + 2
    half = _Z * math.sqrt((lost + won - (won - lost) ** 2) / size)
    return max(-1.0, won - lost - half), min(1.0, won - lost + half)


def compare(before: Answers, after: Answers) -> Comparison:
    """Compare the answers of two snapshots on one exam.

    Pictures are paired by path and bytes; those that one side could not read are counted and left out. A class
    that a snapshot does not know cannot be right and counts as wrong.

    Raises:
        DataError: the answers are to different exams: other pictures, or other labels.
    """
    left, right, unpaired = _paired(before, after)
    truths = [before.pictures[index].truth for index in left]
    was, now = before.correct[left], after.correct[right]

    def cases(which: NDArray[np.bool_], confidence: Callable[[Case], float]) -> tuple[Case, ...]:
        found = [_case(before, int(left[place]), after, int(right[place])) for place in np.flatnonzero(which)]
        return tuple(sorted(found, key=lambda one: (-confidence(one), one.path)))

    return Comparison(
        before=before.snapshot,
        after=after.snapshot,
        exam=after.exam,
        count=len(left),
        fixed=cases(~was & now, lambda one: one.before_probability),
        broken=cases(was & ~now, lambda one: one.after_probability),
        still_wrong=cases(~was & ~now, lambda one: one.after_probability),
        per_class=_by_class(truths, was, now),
        unknown={one.snapshot: lost for one in (before, after) if (lost := _unknown(truths, one))},
        unpaired=unpaired,
    )


def _paired(before: Answers, after: Answers) -> tuple[_Indices, _Indices, int]:
    """Indices of the same pictures in both, and how many have no partner since they could not be read."""
    places = {(one.path, one.sha256): index for index, one in enumerate(after.pictures)}
    left: list[int] = []
    right: list[int] = []
    alone: list[str] = []
    for index, one in enumerate(before.pictures):
        place = places.pop((one.path, one.sha256), None)
        if place is None:
            alone.append(one.path)
            continue
        if after.pictures[place].truth != one.truth:
            raise _other_exam(before, after, f"{one.path} is '{one.truth}' and '{after.pictures[place].truth}'")
        left.append(index)
        right.append(place)
    alone += [path for path, _ in places]
    unread = {str(one.path) for one in (*before.skipped, *after.skipped)}
    strange = [path for path in alone if path not in unread]
    if strange:
        raise _other_exam(before, after, f"{len(strange):,} pictures are in one of them only, {strange[0]} for one")
    if not left:
        raise DataError(f"no picture of {after.exam} was read for both {before.snapshot} and {after.snapshot}")
    return np.array(left, np.intp), np.array(right, np.intp), len(alone)


def _other_exam(before: Answers, after: Answers, reason: str) -> DataError:
    return DataError(
        f"{before.snapshot} was evaluated on '{before.exam}', {after.snapshot} on '{after.exam}': {reason}",
        hint="use one for both: wf diff ... --exam genN, or --folder DIR",
    )


def _case(before: Answers, left: int, after: Answers, right: int) -> Case:
    one = before.pictures[left]
    was, now = int(before.predicted[left]), int(after.predicted[right])
    return Case(
        path=one.path,
        sha256=one.sha256,
        truth=one.truth,
        before=before.classes[was],
        before_probability=float(before.probabilities[left, was]),
        after=after.classes[now],
        after_probability=float(after.probabilities[right, now]),
    )


def _by_class(truths: Sequence[str | None], was: NDArray[np.bool_], now: NDArray[np.bool_]) -> tuple[ClassChange, ...]:
    places: dict[str, list[int]] = {}
    for place, truth in enumerate(truths):
        if truth is not None:
            places.setdefault(truth, []).append(place)
    return tuple(
        ClassChange(
            name=name,
            count=len(own),
            before=int(was[own].sum()),
            after=int(now[own].sum()),
            fixed=int((~was & now)[own].sum()),
            broken=int((was & ~now)[own].sum()),
        )
        for name, own in sorted(places.items())
    )


def _unknown(truths: Sequence[str | None], answers: Answers) -> dict[str, int]:
    known = set(answers.classes)
    return dict(sorted(Counter(name for name in truths if name is not None and name not in known).items()))

"""`wf junk`: false-accept rates of all generations on unrelated pictures, at each threshold.

A picture is accepted where the probability of a positive class reaches the threshold. The positive class is the one
not called `other`, `negative`, `background`, `not_...` or the like; of several, any counts. Pictures that one of the
generations was trained on are left out, for all of them, while others remain.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.config import Config
from workflow.errors import UsageError
from workflow.evaluation.acceptance import THRESHOLDS, Point, Scores, keeping, point, positives
from workflow.evaluation.metrics import interval
from workflow.exams import cache
from workflow.exams.answers import Progress
from workflow.exams.committee import Member, Panel, ask, column
from workflow.exams.exam import Exam, of_generation, of_unlabelled
from workflow.exams.overlap import trained_on
from workflow.exams.picture import Picture, Skipped
from workflow.generations import Generation
from workflow.paths import PathOrAddress


@dataclass(frozen=True, kw_only=True, eq=False)
class Score:
    """One generation's answers to the junk."""

    generation: str
    snapshot: str
    positives: tuple[str, ...]
    each: Scores
    """(N, positives): the probability of each positive class."""
    own: Scores
    """(M,): of each test picture of a positive class, the probability of that class."""
    now: Point
    """At the threshold in use."""
    kept: Point | None
    """At the lowest threshold that keeps the rate under the limit; None if none does: pictures have p = 1."""

    @property
    def scores(self) -> Scores:
        """The greatest probability of a positive class, (N,)."""
        greatest: Scores = self.each.max(1)
        return greatest

    @property
    def enough(self) -> bool:
        """Whether the threshold in use already keeps the limit."""
        return self.kept is not None and self.kept.threshold <= self.now.threshold

    def at(self, threshold: float) -> Point:
        """The same at another threshold."""
        return point(self.scores, self.own, threshold)

    def json(self) -> dict[str, Any]:
        """The threshold that keeps the limit, the one in use, a table, and each class alone."""
        limit = self.kept.json() if self.kept is not None else dict.fromkeys(self.now.json())
        shares = {} if self.kept is None else (self.each >= self.kept.threshold).mean(0)
        return {
            "generation": self.generation,
            "snapshot": self.snapshot,
            **limit,
            "now": self.now.json(),
            "table": [self.at(threshold).json() for threshold in THRESHOLDS],
            "per_class": {
                name: {
                    "now": float((self.each[:, index] >= self.now.threshold).mean()),
                    "false_accept_rate": float(shares[index]) if len(shares) else None,
                }
                for index, name in enumerate(self.positives)
            },
        }


@dataclass(frozen=True, kw_only=True)
class Absurdity:
    """An unrelated picture that the newest generation accepts."""

    path: str
    label: str
    probability: float
    before: float | None
    """The previous generation's highest probability of a positive class; None for the first generation."""
    new: bool
    """Whether the generation before would have refused it."""

    @property
    def caption(self) -> str:
        """The caption of its picture."""
        earlier = "" if self.before is None else f"\nbefore {self.before:.2f}{', new' if self.new else ''}"
        return f"{self.label} {self.probability:.2f}{earlier}"

    def json(self) -> dict[str, Any]:
        """All fields."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True, eq=False)
class Junk:
    """All generations on one folder of junk."""

    folder: PathOrAddress
    target: Path
    """Where files about it belong."""
    count: int
    """Pictures that were scored."""
    trained_on: int
    """Pictures that a generation was trained on."""
    left_out: int
    """How many of those were not scored: all of them, unless there are no others."""
    max_rate: float
    scores: tuple[Score, ...]
    """Oldest first."""
    kinds: dict[str, tuple[int, int]]
    """Sub-folder -> accepted by the newest at the threshold in use, and pictures; empty without sub-folders."""
    absurdities: tuple[Absurdity, ...]
    """False accepts of the newest at the threshold in use: new ones first, the most confident first."""
    skipped: tuple[Skipped, ...]

    @property
    def newest(self) -> Score:
        """The newest generation."""
        return self.scores[-1]

    def warnings(self) -> list[str]:
        """Reasons why the figures are less reliable."""
        found = []
        if self.trained_on > self.left_out:
            found.append("every picture is in a training set, so these rates mean little; add new pictures")
        elif self.left_out:
            found.append(f"{self.left_out:,} pictures are in a training set and are left out")
        if self.count * self.max_rate < 1:
            _, high = interval(0, self.count)
            found.append(
                f"{self.count:,} pictures are too few for a rate under {self.max_rate:.3g}: "
                f"even if none is accepted, the true rate may be {high:.3g}"
            )
        return found

    @property
    def words(self) -> str:
        """The newest generation in a sentence or two."""
        one, limit = self.newest, self.newest.kept
        names = ", ".join(f"'{name}'" for name in one.positives)
        share = f"{one.now.accepted:,} of {one.now.count:,} pictures ({one.now.rate:.1%})"
        said = f"At threshold {one.now.threshold:g}, {one.snapshot} labels {share} of {self.folder} {names}."
        if limit is None:
            return f"{said} No threshold limits that to {self.max_rate:.3g}."
        if one.enough:
            return f"{said} That is below {self.max_rate:.3g}, so no higher threshold is needed."
        cost = "" if limit.recall is None else f", with a recall of {limit.recall:.0%} on the test set"
        return f"{said} At threshold {limit.threshold:.7g} it is {limit.accepted:,}{cost}."

    def json(self) -> dict[str, Any]:
        """As `wf junk --json` gives it: `threshold` and `false_accept_rate` are the newest generation's."""
        newest = self.newest.json()
        return {
            "folder": str(self.folder),
            "count": self.count,
            "trained_on": self.trained_on,
            "left_out": self.left_out,
            "classes": list(self.newest.positives),
            "max_rate": self.max_rate,
            **{name: newest[name] for name in ("generation", "snapshot", "threshold", "false_accept_rate")},
            **{name: newest[name] for name in ("interval", "recall", "now")},
            "generations": [one.json() for one in self.scores],
            "kinds": {name: {"accepted": hits, "count": count} for name, (hits, count) in self.kinds.items()},
            "absurdities": [one.json() for one in self.absurdities],
            "words": self.words,
            "warnings": self.warnings(),
            "skipped": [{"path": str(one.path), "reason": one.reason} for one in self.skipped],
        }


def junk(
    config: Config,
    folder: PathOrAddress,
    *,
    class_name: str | None = None,
    threshold: float = 0.5,
    max_rate: float = 0.01,
    number: int | None = None,
    progress: Progress | None = None,
) -> Junk:
    """Score a folder of junk by the best snapshot of every generation.

    Args:
        config: says where the generations are.
        folder: pictures, in sub-folders or not.
        class_name: the positive class; None finds it by the names.
        threshold: the one in use, 0..1.
        max_rate: the false-accept rate to stay under, in (0, 1].
        number: the newest generation to ask; None is the newest there is.
        progress: called with (done, all) for each generation.

    Raises:
        UsageError: P01 no such folder; no generation has a snapshot; the newest does not know the class.
        DataError: not one picture can be read.
    """
    exam = of_unlabelled(folder)
    panel = ask(config, exam, number=number, progress=progress)
    asked = positives(panel.newest.classes, class_name)
    seen = np.any([trained_on(_generation(one), panel.pictures) for one in panel.members], axis=0)
    kept = np.flatnonzero(~seen) if not seen.all() else np.arange(len(seen))
    pictures = [panel.pictures[index] for index in kept]
    scores = tuple(
        _score(one, panel, asked if class_name else positives(one.classes, None), kept, threshold, max_rate, progress)
        for one in panel.members
        if class_name is None or class_name in one.classes
    )
    return Junk(
        folder=folder,
        target=cache.folder(panel.newest.model, exam),
        count=len(pictures),
        trained_on=int(seen.sum()),
        left_out=len(seen) - len(kept),
        max_rate=max_rate,
        scores=scores,
        kinds=_kinds(pictures, folder, scores[-1]),
        absurdities=_absurdities(pictures, scores),
        skipped=panel.skipped,
    )


def _score(
    member: Member,
    panel: Panel,
    names: tuple[str, ...],
    kept: NDArray[np.int64],
    threshold: float,
    max_rate: float,
    progress: Progress | None,
) -> Score:
    each = member.probabilities[kept][:, column(member, names)].astype(np.float64)
    own = _own(member, of_generation(_generation(panel.newest), member.model), names, progress)
    scores = each.max(1)
    limit = keeping(scores, max_rate)
    return Score(
        generation=member.generation,
        snapshot=member.model.name,
        positives=names,
        each=each,
        own=own,
        now=point(scores, own, threshold),
        kept=None if limit is None else point(scores, own, limit),
    )


def _own(member: Member, exam: Exam, names: Sequence[str], progress: Progress | None) -> Scores:
    """Of the newest generation's test pictures of these classes, the probability of their own class."""
    answers = cache.answers(member.model, exam, progress=progress)
    rows = np.flatnonzero(np.isin(answers.truth, column(member, names)))
    return answers.probabilities[rows, answers.truth[rows]].astype(np.float64)


def _kinds(pictures: Sequence[Picture], folder: PathOrAddress, newest: Score) -> dict[str, tuple[int, int]]:
    hits = newest.scores >= newest.now.threshold
    found: dict[str, tuple[int, int]] = {}
    for one, hit in zip(pictures, hits, strict=True):
        inside = Path(str(one.path).removeprefix(os.path.join(folder, "")))  # noqa: PTH118
        kind = inside.parts[0] if len(inside.parts) > 1 else ""
        accepted, count = found.get(kind, (0, 0))
        found[kind] = (accepted + int(hit), count + 1)
    return {name or ".": counts for name, counts in sorted(found.items())} if found.keys() != {""} else {}


def _absurdities(pictures: Sequence[Picture], scores: Sequence[Score]) -> tuple[Absurdity, ...]:
    newest = scores[-1]
    before = scores[-2].scores if len(scores) > 1 else None
    found = []
    for index in np.flatnonzero(newest.scores >= newest.now.threshold).tolist():
        earlier = None if before is None else float(before[index])
        found.append(
            Absurdity(
                path=pictures[index].path,
                label=newest.positives[int(newest.each[index].argmax())],
                probability=float(newest.scores[index]),
                before=earlier,
                new=earlier is None or earlier < newest.now.threshold,
            )
        )
    return tuple(sorted(found, key=lambda one: (not one.new, -one.probability, one.path)))


def _generation(member: Member) -> Generation:
    """The generation of a member; external models have none and are refused."""
    if member.model.generation is None:
        raise UsageError(f"{member.model.name} belongs to no generation")
    return member.model.generation

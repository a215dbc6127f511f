"""The best snapshot of each generation, run on the same pictures."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from workflow.config import Config
from workflow.engines.base import Array
from workflow.errors import DataError, UsageError
from workflow.exams import cache
from workflow.exams.answers import Answers, Progress
from workflow.exams.exam import Exam
from workflow.exams.picture import Picture, Skipped
from workflow.generations import existing, generations
from workflow.models.loading import load
from workflow.models.model import Model


@dataclass(frozen=True, kw_only=True, eq=False)
class Member:
    """One generation and its predictions."""

    model: Model
    classes: tuple[str, ...]
    probabilities: Array
    """float32 (N, classes), in the order of the panel's pictures."""

    @property
    def generation(self) -> str:
        """`gen5`."""
        return self.model.name.partition("/")[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """The generations, oldest first, and the pictures that all of them could read."""

    pictures: list[Picture]
    members: tuple[Member, ...]
    skipped: tuple[Skipped, ...]

    @property
    def newest(self) -> Member:
        """The newest generation."""
        return self.members[-1]


def ask(config: Config, exam: Exam, *, number: int | None = None, progress: Progress | None = None) -> Panel:
    """Run an exam on the best snapshot of each generation.

    A generation that cannot answer (a damaged snapshot) is left out with a warning.

    Args:
        config: says where the generations are.
        exam: files, which each generation prepares in its own way.
        number: the newest generation to ask; None is the newest there is.
        progress: called with (done, all) for each generation.

    Raises:
        UsageError: no generation has a snapshot.
        DataError: not one picture can be read.
    """
    last = existing(config, number).number
    found: list[tuple[Model, Answers]] = []
    for one in generations(config):
        if one.number > last or not one.record_path.is_file() or one.read().best is None:
            continue
        try:
            model = load(config, snapshot=f"{one.name}/best", tell=False)
        except DataError as error:
            logging.getLogger("workflow").warning("%s is ignored: %s", one.name, error.message)
            continue
        found.append((model, cache.answers(model, exam, progress=progress)))
    if not found:
        raise UsageError(f"no generation in {config.generations} has a snapshot that can be read", hint="wf train")
    shared = set.intersection(*({one.path for one in answers.pictures} for _, answers in found))
    return Panel(
        pictures=[one for one in found[-1][1].pictures if one.path in shared],
        members=tuple(_member(model, answers, shared) for model, answers in found),
        skipped=found[-1][1].skipped,
    )


def _member(model: Model, answers: Answers, shared: set[str]) -> Member:
    rows = [index for index, one in enumerate(answers.pictures) if one.path in shared]  # answers are sorted by path
    return Member(model=model, classes=answers.classes, probabilities=answers.probabilities[rows])


def column(member: Member, names: Sequence[str]) -> list[int]:
    """The columns of these classes in the member's probabilities; those that it does not know are left out."""
    return [member.classes.index(name) for name in names if name in member.classes]

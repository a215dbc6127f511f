"""Choose the exam for comparing snapshots: a generation's test set or a folder, with each snapshot's preprocessing."""

from __future__ import annotations

import re
from collections.abc import Callable

from workflow.config import Config
from workflow.errors import UsageError
from workflow.exams.exam import Exam, of_generation, of_labelled
from workflow.generations import Generation, existing
from workflow.models.model import Model
from workflow.paths import PathOrAddress

Poser = Callable[[Model], Exam]


def of_test_set(generation: Generation) -> Poser:
    """The test pictures of a generation."""
    return lambda model: of_generation(generation.original, model)


def of_folder(folder: PathOrAddress) -> Poser:
    """A folder with one sub-folder for each class.

    Raises:
        UsageError, DataError: P01, P02, P03, when it is posed.
    """
    return lambda model: of_labelled(folder, model.classes or ())


def named(config: Config, name: str) -> Generation:
    """The generation called `gen4`, or `4`.

    Raises:
        UsageError: it is called otherwise, or does not exist.
    """
    match = re.fullmatch(r"(?:gen)?(\d+)", name)
    if match is None:
        raise UsageError(f"no generation '{name}'", hint="write gen4 for generation 4")
    return existing(config, int(match[1]))


def snapshot_of(reference: str) -> str:
    """What to load where generations are compared: a bare number is a generation's."""
    return f"gen{reference}" if reference.isdigit() else reference

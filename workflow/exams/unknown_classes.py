"""Pictures whose class the snapshot does not know; they are excluded from its scores."""

from __future__ import annotations

import logging
from collections import Counter

from workflow.errors import DataError, did_you_mean
from workflow.exams.answers import Answers
from workflow.words import counted


def unknown_classes(found: Answers) -> dict[str, int]:
    """The classes that the snapshot does not know, with how many pictures each has; a warning names each.

    Raises:
        DataError: it knows none of them, or no picture has a label.
    """
    tally = Counter(one.truth for one in found.pictures if one.truth is not None and one.truth not in found.classes)
    unknown = dict(sorted(tally.items()))
    if not (found.truth >= 0).any():
        raise _nothing_known(found, unknown)
    for name, count in unknown.items():
        logging.getLogger("workflow").warning(
            "%s does not know class '%s': %s left out", found.snapshot, name, counted(count, "picture")
        )
    return unknown


def _nothing_known(found: Answers, unknown: dict[str, int]) -> DataError:
    if not unknown:
        return DataError(f"no picture in {found.exam} has a label", hint="put them into one folder per class")
    names = ", ".join(f"'{name}'" for name in unknown)
    return DataError(
        f"{found.snapshot} knows none of the classes in {found.exam}: {names}",
        hint=did_you_mean(next(iter(unknown)), found.classes),
    )

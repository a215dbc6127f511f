"""A preparation in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.evaluation.metrics import interval
from workflow.words import counted

if TYPE_CHECKING:
    from workflow.data.result import PrepareResult

_FEW = 500  # pictures
_EXAMPLE = 0.9  # an accuracy that a net on few pictures may have


def describe(result: PrepareResult) -> str:
    """The summary of a preparation."""
    lines = [
        f"generation {result.generation}: {_parts(result)} test pictures "
        f"({result.test_share:.0%}) of {len(result.classes)} classes ({', '.join(result.classes)})"
    ]
    corrected = result.corrected
    if corrected.patches:
        told = f"{corrected.relabelled:,} labels changed, {corrected.removed:,} pictures left out"
        lines.append(f"corrections {', '.join(corrected.patches)} applied: {told}")
    if result.inbox.pictures:
        senders = ", ".join(f"{name} {count:,}" for name, count in result.inbox.senders.items())
        lines.append(f"from the inbox: {counted(result.inbox.pictures, 'picture')} ({senders})")
    changes = result.changes
    if changes.against is not None:
        told = f"{changes.added:,} pictures added, {changes.removed:,} removed, {changes.relabelled:,} relabelled"
        lines.append(f"against generation {changes.against}: {told}")
    if result.known:
        told = f"{result.known:,} of {counted(result.files, 'file')}"
        lines.append(f"not read again: {told}, known from the last preparation by name, size and time")
    if few := _few(result):
        lines.append(few)
    lines += [f"contact sheet  {path}" for path in result.pictures]
    return "\n".join([*lines, f"next: wf train --gen {result.generation}"])


def _few(result: PrepareResult) -> str | None:
    """How reliable an accuracy on few test pictures is, and what helps."""
    pictures = result.train + result.validation + result.test
    if pictures >= _FEW:
        return None
    right = round(_EXAMPLE * result.test)
    low, high = interval(right, result.test)
    return (
        f"{result.test} test pictures tell little: with {right} of them right, the accuracy is somewhere between "
        f"{low:.2f} and {high:.2f}; wf evaluate --folds 5 tests on all {pictures} pictures"
    )


def _parts(result: PrepareResult) -> str:
    if not result.validation:
        return f"{result.train:,} training and {result.test:,}"
    return f"{result.train:,} training, {result.validation:,} validation and {result.test:,}"

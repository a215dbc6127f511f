"""The table of recipes."""

from __future__ import annotations

from workflow import words
from workflow.project.recipes import RECIPES, Figures, Measured, Trainings

SETS = {"cifar10": "CIFAR-10", "frog": "two classes"}
_HEAD = ["recipe", "parameters", *(cell for name in SETS.values() for cell in (name, "seeds", "minutes"))]
_MEANING = [
    "accuracy on test pictures that took no part in choosing: the median of the seeds, and their range",
    "CIFAR-10: 50,000 pictures of ten classes; two classes: 2,000 pictures, frogs and the rest of CIFAR-10",
]


def describe(measured: Measured) -> str:
    """What each recipe is and gives, for a terminal."""
    return words.joined(
        [
            words.table([[one.name, one.words] for one in RECIPES], left=(0, 1)),
            words.table(rows(measured)),
            [*_MEANING, f"measured on {measured.machine}"],
            ["next: wf init mybot --recipe NAME"],
        ]
    )


def rows(measured: Measured) -> list[list[str]]:
    """The head and a row for each recipe; `-` for what was not measured."""
    return [_HEAD, *([one.name, *_row(measured.recipes[one.name])] for one in RECIPES)]


def _row(figures: Figures) -> list[str]:
    cells = [f"{figures.parameters:,}"]
    for name in SETS:
        found = figures.sets.get(name)
        cells += (
            ["-"] * 3 if found is None else [_accuracy(found), str(len(found.accuracy)), f"{figures.minutes(name):.1f}"]
        )
    return cells


def _accuracy(found: Trainings) -> str:
    """`0.803 (0.799-0.806)`."""
    least, most = min(found.accuracy.values()), max(found.accuracy.values())
    spread = f" ({least:.3f}-{most:.3f})" if len(found.accuracy) > 1 else ""
    return f"{found.median:.3f}{spread}"

"""A daily round over new pictures, in one call: label them, and choose which ones to check.

    python examples/daily_round.py mybot incoming/

The live snapshot labels every picture of the folder. Predictions below a probability of 90 % are listed; `next.csv`
lists the pictures that are worth labelling. For the most confident prediction of each class, a sheet explains it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from workflow import Project

SURE = 0.9


def main(root: str, folder: str) -> None:
    """Print the uncertain predictions, and write the sheets into the project."""
    project = Project(root)
    snapshot = project.snapshot()
    answers = snapshot.predict_all([Path(folder)])
    for one in answers.skipped:
        print(f"skipped {one.path}: it {one.reason}")
    surest: dict[str, object] = {}
    for one in sorted(answers.predictions, key=lambda one: -one.probability):
        surest.setdefault(one.label, one)
        if one.probability < SURE:
            print(f"{one.probability:.2f}  {one.label}?  {one.path}")
    for label, one in surest.items():
        twin = snapshot.twin(one.path, class_name=label)
        print(f"{label}: {twin.draw()['twin']}")
    worth = project.next(folder, count=20).draw()
    print(f"worth a label: {worth['table']}")


if __name__ == "__main__":
    main(*sys.argv[1:])

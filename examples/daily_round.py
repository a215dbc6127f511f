"""What the owner of a bot does with the pictures of a day, in one call: label them, and choose what to look at.

    python examples/daily_round.py mybot incoming/

The live snapshot labels every picture of the folder. Answers it is less than 90 % sure of are listed; `next.csv` holds
those that are worth a label. For the surest answer of each class there is a sheet that shows what it hangs on.
"""

from __future__ import annotations

import sys
from pathlib import Path

from workflow import Project

SURE = 0.9


def main(root: str, folder: str) -> None:
    """Print what came in, and leave the sheets in the project."""
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

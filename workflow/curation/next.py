"""`wf next`: choose the unlabelled pictures from which the next generation can learn most.

The pile is put in the order of its `worth`. Then the best are taken one by one (`selection`): none that any generation
knows by its bytes, none that the user has refused to label, no two that are nearly the same, and of each predicted
class no more than its share.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from workflow.config import Config
from workflow.curation.acquisition import Worth, likely, weigh
from workflow.curation.selection import pick
from workflow.data import corrections
from workflow.exams import cache
from workflow.exams.answers import Progress
from workflow.exams.committee import ask
from workflow.exams.exam import of_unlabelled
from workflow.exams.features import features
from workflow.exams.nearest import nearest, origins
from workflow.exams.picture import Skipped
from workflow.generations import generations
from workflow.paths import PathOrAddress
from workflow.storage import write_table


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A picture that should be labelled."""

    path: str
    sha256: str
    suggested: str
    """The class that the newest generation predicts."""
    probability: float
    score: float
    """0..1, the weighted mean of ranks."""
    disagreement: float
    """0..1, the share of the greatest divergence possible."""
    margin: float
    """Probability of the likeliest class less that of the second, 0..1."""
    novelty: float
    """L2 distance to the nearest training picture."""
    reason: str

    @property
    def caption(self) -> str:
        """The caption of its picture."""
        return f"{self.suggested} {self.probability:.2f}?\n{self.reason}"

    def json(self) -> dict[str, Any]:
        """All fields."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True, eq=False)
class Next:
    """The chosen pictures."""

    folder: PathOrAddress
    target: Path
    """Where files about it belong."""
    snapshots: tuple[str, ...]
    """Snapshots of the generations that were asked, the newest last."""
    count: int
    """Pictures in the pile that can be read."""
    known: int
    """Pictures that are in a generation already."""
    refused: int
    """Those that are not to be labelled, as an applied table says."""
    twins: int
    """Pictures left out as near-duplicates of chosen ones."""
    weights: dict[str, float]
    candidates: tuple[Candidate, ...]
    """The highest score first."""
    skipped: tuple[Skipped, ...]
    project: Path
    """The project folder, which paths in the table are relative to."""

    def json(self) -> dict[str, Any]:
        """As `wf next --json` gives it."""
        return {
            "folder": str(self.folder),
            "snapshots": list(self.snapshots),
            "count": self.count,
            "known": self.known,
            "refused": self.refused,
            "twins": self.twins,
            "weights": self.weights,
            "next": [one.json() for one in self.candidates],
            "skipped": [{"path": str(one.path), "reason": one.reason} for one in self.skipped],
        }


def choose(
    config: Config,
    folder: PathOrAddress,
    *,
    count: int = 50,
    number: int | None = None,
    progress: Progress | None = None,
) -> Next:
    """Choose pictures to label.

    Args:
        config: says where the generations are.
        folder: unlabelled pictures, also in sub-folders.
        count: how many to choose.
        number: the newest generation to ask; None is the newest there is.
        progress: called with (done, all) in each pass.

    Raises:
        UsageError: P01 no such folder; no generation has a snapshot.
        DataError: not one picture can be read.
    """
    exam = of_unlabelled(folder)
    panel = ask(config, exam, number=number, progress=progress)
    model = panel.newest.model
    looked = features(model, exam, progress=progress)
    rows = {one.path: row for row, one in enumerate(looked.pictures)}
    values = looked.values[[rows[one.path] for one in panel.pictures]].astype(np.float32)
    near = nearest(model, values, 1, progress=progress)
    worth = weigh(panel, near.distances[:, 0].astype(np.float64))
    score = worth.score
    known = origins(generations(config), {one.sha256 for one in panel.pictures})
    unwanted = corrections.unwanted(corrections.patches(config.generations)).difference(known)
    fresh = [one.sha256 not in known and one.sha256 not in unwanted for one in panel.pictures]
    order = [index for index in np.argsort(-score, kind="stable").tolist() if fresh[index]]
    chosen = pick(model, panel.pictures, panel.newest.probabilities.argmax(1), order, count)
    return Next(
        folder=folder,
        target=cache.folder(model, exam),
        snapshots=tuple(one.model.name for one in panel.members),
        count=len(panel.pictures),
        known=sum(one.sha256 in known for one in panel.pictures),
        refused=sum(one.sha256 in unwanted for one in panel.pictures),
        twins=chosen.twins,
        weights=worth.weights,
        candidates=tuple(_candidate(worth, index, float(score[index])) for index in chosen.indices),
        skipped=panel.skipped,
        project=config.project,
    )


def _candidate(worth: Worth, index: int, score: float) -> Candidate:
    one = worth.panel.pictures[index]
    label, probability = likely(worth.panel.newest, index)[0]
    return Candidate(
        path=one.path,
        sha256=one.sha256,
        suggested=label,
        probability=probability,
        score=score,
        disagreement=float(worth.disagreement[index]),
        margin=float(worth.margin[index]),
        novelty=float(worth.novelty[index]),
        reason=worth.reason(index),
    )


def write_csv(path: Path, found: Next) -> None:
    """A table of the candidates, the highest score first, with an empty column `decision`; whole or not at all.

    Raises:
        OSError: as the operating system says it.
    """
    names = [field.name for field in fields(Candidate)]
    rows = [
        [f"{cell:.6g}" if isinstance(cell, float) else cell for cell in (getattr(one, name) for name in names)]
        for one in found.candidates
    ]
    write_table(
        path, [*names, "decision"], [[*row, ""] for row in rows], errors="backslashreplace", project=found.project
    )

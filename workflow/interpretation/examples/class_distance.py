"""Distances of a picture, blob by blob, to training pictures of a class and to the others.

In early blobs every picture is about as far from one class as from another, and a distance alone says nothing. What
counts is the ratio of both distances beside the ratios of pictures that the net knows to be of other classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workflow.errors import DataError
from workflow.exams.exam import Exam
from workflow.exams.picture import Picture
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.targets import Target

EACH = 100
"""Pictures of the class, and of the others, that are looked at; fewer of a net whose blobs are large."""
NEAREST = 5
"""A single nearest picture is a coincidence; the class's mean is far from each of its pictures."""
RARE = 0.05
"""A picture is among the class where its ratio is less than those of all but this share of the others."""
_FEWEST = 20
_NUMBERS = 1 << 26  # of both groups' blobs: 256 MB
_BATCH = 100

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The picture's distances in one blob."""

    blob: str
    to_class: float
    """Mean L2 distance to the five nearest pictures of the class."""
    to_others: float
    """The same for the others."""
    ratio: float
    """The first by the second."""
    limit: float
    """The ratio that one in twenty of the others is below; 1 at most."""

    @property
    def among(self) -> bool:
        """Whether the picture is among the class here."""
        return self.ratio < self.limit


@dataclass(kw_only=True, eq=False)
class Group:
    """Pictures whose prediction agrees with their label."""

    pixels: list[NDArray[np.generic]] = field(default_factory=list)
    """Records (C, H, W)."""
    blobs: dict[str, list[Tensor]] = field(default_factory=dict)
    """Name -> one tensor (C, ...) for each picture."""

    def __len__(self) -> int:
        return len(self.pixels)

    def add(self, pixels: NDArray[np.generic], blobs: dict[str, Tensor], rows: list[int]) -> None:
        """Add rows of a batch."""
        self.pixels.extend(pixels[rows])
        for name, values in blobs.items():
            self.blobs.setdefault(name, []).extend(values[row].clone() for row in rows)

    def mean(self, blob: str) -> Tensor:
        """float32 (C, ...)."""
        return torch.stack(self.blobs[blob]).mean(0)

    def mean_picture(self) -> NDArray[np.uint8]:
        """The records' mean, (C, H, W)."""
        mean: NDArray[np.float64] = np.stack(self.pixels).astype(np.uint8).mean(0)
        return np.rint(mean).astype(np.uint8)

    def rows(self, blob: str, most: int) -> Tensor:
        """The first pictures, one a row: (most, D)."""
        return torch.stack(self.blobs[blob][:most]).flatten(1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Near:
    """The true positive that is nearest to the picture."""

    picture: Picture
    record: int
    """Its place in the exam."""
    distance: float
    """L2."""
    pixels: NDArray[np.generic]
    """(C, H, W), as a record holds it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Classmates:
    """Both groups, and the net's activations for the picture."""

    own: dict[str, Tensor]
    """Blob -> (C, ...)."""
    members: Group
    """Pictures of the class with that label."""
    others: Group
    """Pictures of other classes that are not labelled as the class."""
    nearest: Near
    """Of all true positives, not of `members` alone."""

    def stages(self) -> tuple[Stage, ...]:
        """One for each blob, in net order, both groups cut to one size: of more pictures the nearest are nearer."""
        most = min(len(self.members), len(self.others))
        return tuple(self._stage(name, most) for name in self.own)

    def _stage(self, blob: str, most: int) -> Stage:
        own, members, others = (
            self.own[blob].flatten()[None],
            self.members.rows(blob, most),
            self.others.rows(blob, most),
        )
        to_class, to_others = _nearest(torch.cdist(own, members)), _nearest(torch.cdist(own, others))
        among = torch.cdist(others, others).fill_diagonal_(torch.inf)  # none is its own neighbour
        theirs = _ratio(_nearest(torch.cdist(others, members)), _nearest(among))
        return Stage(
            blob=blob,
            to_class=float(to_class),
            to_others=float(to_others),
            ratio=float(_ratio(to_class, to_others)),
            limit=min(1.0, float(theirs.quantile(RARE))),
        )


def joins_at(stages: tuple[Stage, ...]) -> str | None:
    """The first blob from which on, to the last, the picture is among the class; None: it never is."""
    joined = None
    for stage in reversed(stages):
        if not stage.among:
            break
        joined = stage.blob
    return joined


def gather(
    net: Differentiable,
    x: Tensor,
    target: Target,
    exam: Exam,
    *,
    blob: str,
    without: str = "",
    progress: Progress | None = None,
) -> Classmates:
    """Run the net on all training pictures of the class, and on as many others as needed.

    Args:
        net: the net.
        x: the input blob of the picture that is asked about, (1, C, H, W).
        target: the class.
        exam: the training pictures, in a random order, as a data set has them.
        blob: in which the nearest true positive is sought.
        without: sha256 of a file to leave out: the picture itself.
        progress: called with (done, all).

    Raises:
        DataError: there are not two pictures of either group.
    """
    blobs = [name for name, shape in net.shapes.items() if len(shape) > 1 and name != net.model.output]
    numbers = sum(int(np.prod(net.shapes[name])) for name in blobs)
    each = min(EACH, max(_FEWEST, _NUMBERS // (2 * numbers)))
    members, others = Group(), Group()
    nearest: Near | None = None
    with torch.no_grad():
        run = net.run(x)
        own = {name: run.blobs[name][0].clone() for name in blobs}
        seen = 0
        for pictures, pixels in exam.batches(net.model, _BATCH):
            is_of = [one.truth == target.class_name for one in pictures]
            asked = [
                row for row, one in enumerate(pictures) if one.sha256 != without and (is_of[row] or len(others) < each)
            ]
            made = net.run(net.blob(pixels[asked])).blobs if asked else {}
            taken = (made[target.blob].flatten(1).argmax(1) == target.channel).tolist() if asked else []
            kept = {name: made[name] for name in blobs} if asked else {}
            for group, member in ((members, True), (others, False)):
                rows = [at for at, row in enumerate(asked) if taken[at] == is_of[row] == member]
                group.add(pixels[asked], kept, rows[: each - len(group)])
                if member and rows:
                    away = (kept[blob][rows] - own[blob]).flatten(1).norm(dim=1)
                    best = int(away.argmin())
                    if nearest is None or float(away[best]) < nearest.distance:
                        row = asked[rows[best]]
                        nearest = Near(
                            picture=pictures[row], record=seen + row, distance=float(away[best]), pixels=pixels[row]
                        )
            seen += len(pictures)
            if progress is not None:
                progress(seen, exam.count)
    hint = "train it further, or look at a later snapshot"
    if nearest is None or len(members) < 2:
        raise DataError(
            f"almost no training picture of class '{target.name}' is labelled correctly by {net.model.name}", hint=hint
        )
    if len(others) < 2:
        raise DataError(f"{net.model.name} labels almost every training picture '{target.name}'", hint=hint)
    return Classmates(own=own, members=members, others=others, nearest=nearest)


def _nearest(distances: Tensor) -> Tensor:
    """Mean of the five nearest in each row (N, M): (N,)."""
    return distances.sort(1).values[:, : min(NEAREST, distances.isfinite().sum(1).min())].mean(1)


def _ratio(one: Tensor, other: Tensor) -> Tensor:
    """1 where both are 0, as of pictures that a dead layer makes equal."""
    return torch.where(other > 0, one / other, torch.where(one > 0, torch.inf, 1.0))

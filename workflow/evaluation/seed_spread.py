"""How far the accuracy of a generation moves with nothing but the random seed: retrained with others, it is a band."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from workflow.errors import WorkflowError
from workflow.formats import caffe_pb2, prototxt
from workflow.generations import Generation, Record


@dataclass(frozen=True, kw_only=True)
class Band:
    """Accuracies of one generation, trained with different seeds."""

    values: dict[str, float]
    """`gen5`, `gen5/seed_7` … -> accuracy, 0..1; the generation itself first, at least two."""

    @property
    def mean(self) -> float:
        """Of the accuracies."""
        return mean(self.values.values())

    @property
    def sd(self) -> float:
        """Their sample standard deviation."""
        center = self.mean
        return math.sqrt(math.fsum((value - center) ** 2 for value in self.values.values()) / (len(self.values) - 1))

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest."""
        return min(self.values.values()), max(self.values.values())

    def json(self) -> dict[str, Any]:
        """All fields."""
        return {"seeds": len(self.values), "mean": self.mean, "sd": self.sd, "range": self.range, "values": self.values}


def mean(values: Collection[float]) -> float:
    """Their arithmetic mean."""
    return math.fsum(values) / len(values)


def seed_p_value(before: Band | float, after: Band | float) -> float | None:
    """How likely other seeds alone make two generations differ so much or more; None where neither has a band.

    Student's t with the pooled variance of those that have a band; a generation of one seed is taken to move as much
    as the other one: t = (m1 - m2) / (s sqrt(1/n1 + 1/n2)) with sum(n - 1) degrees of freedom.
    Source: Student 1908; with two bands scipy.stats.ttest_ind computes the same.
    """
    sides = [list(side.values.values()) if isinstance(side, Band) else [side] for side in (before, after)]
    freedom = sum(len(values) - 1 for values in sides)
    if not freedom:
        return None
    from scipy.special import stdtr  # 0.3 s that only generations of several seeds need

    means = [mean(values) for values in sides]
    squares = sum((value - center) ** 2 for values, center in zip(sides, means, strict=True) for value in values)
    spread = math.sqrt(squares / freedom * sum(1 / len(values) for values in sides))
    difference = abs(means[1] - means[0])
    if spread == 0:
        return 1.0 if difference == 0 else 0.0
    return 2 * float(stdtr(freedom, -difference / spread))


def comparable_reruns(generation: Generation) -> list[Generation]:
    """The reruns that differ from the generation in nothing but the seed, and are trained as far as it is.

    Of runs that ended when their test passes got no better (`train.patience`), each is trained to its own end.
    """
    original = generation.original
    mine, record = recipe(original), original.read()
    return [
        rerun
        for rerun in original.reruns
        if mine is not None and recipe(rerun) == mine and _trained_alike(record, rerun.read())
    ]


def _trained_alike(one: Record, other: Record) -> bool:
    if one.latest is None or other.latest is None:
        return False
    impatient = any(record.training.lost_patience for record in (one, other))
    if impatient and all(record.ended_at == record.training.iterations for record in (one, other)):
        return True
    return one.latest.iteration == other.latest.iteration


def recorded_band(generation: Generation) -> Band | None:
    """The band of the best snapshots' test accuracies, as the solver found them; None with fewer than two of them."""
    runs = [generation.original, *comparable_reruns(generation)]
    found = {run.name: best.test_accuracy for run in runs if (best := run.read().best) is not None}
    values = {name: value for name, value in found.items() if value is not None}
    return Band(values=values) if len(values) > 1 else None


def recipe(run: Generation, *, length: bool = True) -> tuple[bytes, bytes] | None:
    """Net and solver as run, without seed and paths: equal for runs that differ in nothing else.

    Args:
        run: a generation or a rerun.
        length: whether max_iter counts.

    Returns:
        None where they cannot be read.
    """
    try:
        net = prototxt.read_net(run.prototxt("train_test"))
        solver = caffe_pb2.SolverParameter()
        solver.CopyFrom(prototxt.read_solver(run.prototxt("solver")))
    except (WorkflowError, OSError):
        return None
    for field in ("random_seed", "net", "snapshot_prefix"):
        solver.ClearField(field)
    if not length:
        solver.ClearField("max_iter")
    return net.SerializeToString(deterministic=True), solver.SerializeToString(deterministic=True)

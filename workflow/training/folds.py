"""`wf evaluate --folds K`: train K nets on K splits of a generation's pictures, by the one path of training."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from workflow.config import Config
from workflow.data.folds import write_folds
from workflow.engines.base import Control, Event, Note
from workflow.errors import UsageError
from workflow.generations import Generation, Record
from workflow.training import side_by_side
from workflow.training.run import as_trained, check_settings, train_held
from workflow.training.wishes import Wishes

_VALIDATION = 0.1
"""Share of validation pictures where the settings ask for none: a fold's own test pictures must not choose for it."""


def train_folds(
    config: Config, generation: Generation, number: int, *, fresh: bool = False, control: Control | None = None
) -> Iterator[Event]:
    """Train a net for each fold; an interrupted series is resumed.

    Where the generation was trained, net, solver and engine are those that it was trained with; else those of the
    settings. No fold starts from weights: these may have seen its pictures. Everything lies in folds/K/.
    After the first fold, the others are trained at once where that is worth it, as `train_seeds` does it.

    Args:
        config: the settings, see `train`.
        generation: whose pictures they are.
        number: of folds, at least 2.
        fresh: train all of them again.
        control: requests to stop; no further fold begins then.

    Yields:
        The events of one run after the other, a Note before each.

    Raises:
        UsageError: fewer than 2 folds; and all that `train` and `write_folds` raise.
    """
    if number < 2:
        raise UsageError(f"--folds {number}: expected at least 2")
    control = control or Control()
    with generation.held("wf evaluate"):
        record = generation.read()
        alike = _as_trained(config, generation, record)
        check_settings(alike)
        if record.training.weights:
            yield Note(text="the folds start from random weights, since those of before may have seen their pictures")
        made = write_folds(generation, number, config.split.validation or _VALIDATION)
        again = Wishes(fresh=fresh, control=control, one_of_several=True)
        for place, one in enumerate(made, start=1):
            if control.stopping:
                return
            yield Note(text=f"fold {place} of {number}")
            yield from train_held(alike, one, again)
            size = side_by_side.workers(alike, one, number - 1)
            if place == 1 and size > 1 and not control.stopping:
                yield from side_by_side.train_together(
                    alike,
                    number - 1,
                    lambda rest: side_by_side.Run.of(made[rest + 1], f"fold {rest + 2} of {number}", again),
                    size,
                    control,
                )
                return


def _as_trained(config: Config, generation: Generation, record: Record) -> Config:
    """The settings with the net, solver, engine and precision that the generation was trained with, if it was."""
    if not record.snapshots:
        return config
    alike = as_trained(config, record)
    solver, deploy = generation.prototxt("solver"), generation.prototxt("deploy")
    # the net as run reads the weights of the classes already, where they were balanced
    return structs.replace(alike, train=structs.replace(alike.train, solver=solver, deploy=deploy, balance="none"))

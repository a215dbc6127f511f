"""`wf train --seeds N`: train a generation with several seeds to measure random variation."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import structs

from workflow.config import Config
from workflow.engines.base import Control, Event, Note
from workflow.errors import UsageError
from workflow.evaluation.seed_spread import recipe, recorded_band
from workflow.generations import Generation, Record, existing
from workflow.generations.record import Training
from workflow.training import side_by_side
from workflow.training.run import as_trained, check_settings, train_held
from workflow.training.wishes import Wishes

_log = logging.getLogger("workflow")


def train_seeds(
    config: Config,
    *,
    seeds: int,
    number: int | None = None,
    max_iter: int | None = None,
    fresh: bool = False,
    weights: Sequence[str] = (),
    seed: int | None = None,
    control: Control | None = None,
    command: Sequence[str] = (),
) -> Iterator[Event]:
    """Train a generation with several seeds; an interrupted series is resumed.

    The first run is that of `train`. The others are in seeds/seed_K/ and differ from it only in random_seed,
    which is one more for each: net, solver, engine, precision and what it started from are those of the first run.
    Runs that are complete already are left as they are. After the first run, the others are trained at once, with one
    thread each unless the settings say how many, where that is worth it (see `side_by_side`); else one after the other.

    Args:
        config: the settings, see `train`.
        seeds: how many runs there are in all, at least 1.
        number: of the generation, the newest if None.
        max_iter: replaces the solver's.
        fresh: start all runs from scratch.
        weights: snapshots or caffemodels that all runs start from.
        seed: random_seed of the first run.
        control: requests to stop or to snapshot; no further run begins after a request to stop.
        command: the command line, for the record.

    Yields:
        The events of one run after the other, a Note before each but the first; of runs that are trained at once, a
        Note at the end of each.

    Raises:
        UsageError: fewer than 1 seed; and all that `train` raises.
    """
    if seeds < 1:
        raise UsageError(f"--seeds {seeds}: expected at least 1")
    control = control or Control()
    check_settings(config)
    generation = existing(config, number)
    wishes = Wishes(
        max_iter=max_iter,
        fresh=fresh,
        weights=tuple(weights),
        seed=seed,
        control=control,
        command=tuple(command),
        one_of_several=seeds > 1,
    )
    with generation.held("wf train"):
        before = recipe(generation, length=False) if generation.read().snapshots else None
        yield from train_held(config, generation, wishes)
        if before not in (None, recipe(generation, length=False)) and not (fresh or weights):
            _log.warning(
                "net or solver changed since %s was begun: its first run differs from the others in more than the "
                "seed (--fresh restarts all of them)",
                generation.name,
            )
        if control.stopping:
            return
        record = generation.read()
        alike = as_trained(config, record)  # whatever the options say now

        def again(place: int) -> tuple[Generation, str, Wishes]:
            rerun = _begun(generation, record, place + 1)
            name = f"seed {rerun.seed}, run {place + 2} of {seeds}"
            started = _weights(rerun, record, wishes)
            return rerun, name, Wishes(fresh=fresh, weights=started, control=control, one_of_several=True)

        size = side_by_side.workers(alike, generation, seeds - 1)
        if size > 1:
            yield from side_by_side.train_together(
                alike, seeds - 1, lambda place: side_by_side.Run.of(*again(place)), size, control
            )
            return
        for place in range(seeds - 1):
            rerun, name, wish = again(place)
            yield Note(text=name)
            yield from train_held(alike, rerun, wish)
            if control.stopping:
                return


def facts(generation: Generation) -> dict[str, Any]:
    """`seeds` ([{seed, folder, iterations, test_accuracy, best, best_accuracy}]) and `band` of a generation.

    `test_accuracy` is that of the last test pass, where it looked at the test pictures.

    Returns:
        Nothing where it was trained with one seed. The band is of the best snapshots' test accuracy, None with fewer
        than two runs that are complete.
    """
    if not generation.reruns:
        return {}
    band = recorded_band(generation)
    return {
        "seeds": [_run_facts(run) for run in (generation, *generation.reruns)],
        "band": band.json() if band is not None else None,
    }


def _begun(generation: Generation, record: Record, place: int) -> Generation:
    """The rerun at that place, with a record of its own from the first moment on."""
    first = max(-1 if (seed := record.training.random_seed) is None else seed, 0)
    rerun = generation.rerun(first + place)
    if not rerun.record_path.is_file():
        rerun.folder.mkdir(parents=True, exist_ok=True)
        rerun.write(structs.replace(record, snapshots=(), training=Training(), commands=()))
    return rerun


def _weights(rerun: Generation, record: Record, wishes: Wishes) -> tuple[str, ...]:
    """The weights that the first run started from, unless the rerun resumes from its own snapshot."""
    if rerun.read().snapshots and not (wishes.fresh or wishes.weights):
        return ()
    return tuple(rerun.located(path) for path in record.training.weights)


def iterations(record: Record) -> int:
    """Where the last run stopped; 0 before the first."""
    if record.training.iterations is not None:
        return record.training.iterations
    return record.latest.iteration if record.latest else 0


def _run_facts(run: Generation) -> dict[str, Any]:
    record = run.read()
    return {
        "seed": run.seed if record.training.random_seed is None else record.training.random_seed,
        "folder": run.folder.as_posix(),
        "iterations": iterations(record),
        "test_accuracy": record.training.test_accuracy,
        "best": f"iter_{record.best.iteration}" if record.best is not None else None,
        "best_accuracy": record.best.test_accuracy if record.best is not None else None,
    }

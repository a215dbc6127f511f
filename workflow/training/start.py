"""Where a run starts: from scratch, from weights, or from the newest snapshot."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from workflow.config import Config
from workflow.errors import DatabaseError, DataError, UsageError
from workflow.formats import caffe_pb2
from workflow.formats.mending import make_again
from workflow.generations import Generation, Record, resolve
from workflow.storage import leftovers, sha256, take_away

_log = logging.getLogger("workflow")


@dataclass(frozen=True, kw_only=True)
class Start:
    """A solverstate to resume from, or weights to start from, or neither."""

    iteration: int = 0
    resume: Path | None = None
    weights: tuple[Path, ...] = ()


def choose(
    config: Config, generation: Generation, record: Record, *, resume: str | None, weights: tuple[str, ...], fresh: bool
) -> Start:
    """Decide where to begin.

    Without flags: the newest committed snapshot, if there is one. `weights` may hold lists with commas, as Caffe's
    flag takes them.

    Raises:
        UsageError: flags that cannot be used together, a snapshot that is not there, weights where a state is needed.
    """
    if resume and (weights or fresh):
        raise UsageError(
            "--resume, --weights and --fresh cannot be used together",
            hint="--resume continues a run, --weights starts one from weights, --fresh starts one from nothing",
        )
    if weights:
        names = [name.strip() for one in weights for name in ([one] if Path(one).exists() else one.split(","))]
        return Start(weights=tuple(resolve(config, name, generation.number).weights for name in names))
    if resume:
        return _from_state(_state_path(config, generation, resume))
    _tell_of_incomplete(generation, record)
    if fresh or not record.snapshots:
        return Start()
    newest = max(record.snapshots, key=lambda snapshot: snapshot.iteration)
    state = generation.folder / newest.state
    if not state.is_file():
        name = f"iter_{newest.iteration}"
        raise UsageError(
            f"{name} has no solver state {state}",
            hint=f"--weights {name} starts a new run from its weights",
            fault="C07",
        )
    return Start(iteration=newest.iteration, resume=state)


def check_dataset(generation: Generation, record: Record) -> None:
    """Check that the data set exists and is the recorded one.

    Raises:
        DatabaseError: L01, a database is missing.
        DataError: T14, the manifest differs from the one recorded.
    """
    for split in record.counts:
        if not (generation.database(split) / "data.mdb").is_file():
            raise DatabaseError(
                f"no database for generation {generation.number}: {generation.database(split)}",
                hint=make_again(generation.dataset),
                fault="L01",
            )
    recorded = record.hashes.get("images.jsonl")
    if recorded and sha256(generation.manifest) != recorded:
        raise DataError(
            f"the data set of generation {generation.number} changed since it was prepared: {generation.manifest}",
            hint=make_again(generation.dataset),
            fault="T14",
        )


def check_solver(
    record: Record, solver: caffe_pb2.SolverParameter, start: Start, *, patience: int | None = None
) -> None:
    """Refuse to resume with another solver type, because its history has a different meaning.

    Raises:
        UsageError: C07; patience without test passes.
    """
    if patience is not None and solver.test_interval <= 0:
        raise UsageError(
            "train.patience needs test passes, but the solver has no test_interval",
            hint="set test_interval in the solver, or leave out --patience",
        )
    before = record.training.solver_type
    if start.resume is not None and before and before != solver.type:
        raise UsageError(
            f"iter_{start.iteration} was trained with {before}, the solver now says {solver.type}",
            hint=f"--weights iter_{start.iteration} starts a new run from its weights",
            fault="C07",
        )


def _state_path(config: Config, generation: Generation, reference: str) -> Path:
    path = Path(reference)
    if path.name.endswith((".caffemodel", ".caffemodel.h5")):
        raise UsageError(
            f"{path} holds weights, not solver state",
            hint=f"use {str(path).replace('.caffemodel', '.solverstate')}, or --weights {path}",
            fault="C03",
        )
    if path.name.endswith((".solverstate", ".solverstate.h5")):
        if not path.is_file():
            raise UsageError(f"no solver state {path}", fault="C07")
        return path
    weights = resolve(config, reference, generation.number).weights
    state = weights.with_name(weights.name.replace(".caffemodel", ".solverstate"))
    if not state.is_file():
        raise UsageError(f"{reference} has no solver state {state}", hint=f"--weights {reference}", fault="C07")
    return state


def _from_state(path: Path) -> Start:
    number = re.search(r"_iter_(\d+)\.", path.name)
    return Start(iteration=int(number[1]) if number else 0, resume=path)


def _tell_of_incomplete(generation: Generation, record: Record) -> None:
    """Report snapshots that a killed run left half-written, and remove files and folders of dead processes."""
    for path in leftovers(generation.snapshots, alone=True):
        take_away(path)
    committed = {snapshot.iteration for snapshot in record.snapshots}
    found = {
        int(match[1])
        for path in generation.snapshots.glob("*_iter_*")
        if (match := re.search(r"_iter_(\d+)\.", path.name))
    }
    for iteration in sorted(found - committed):
        _log.warning("ignoring incomplete snapshot iter_%d of generation %d", iteration, generation.number)

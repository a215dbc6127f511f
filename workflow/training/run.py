"""`wf train`: run a generation's training as a stream of events."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

from msgspec import structs

from workflow import cores
from workflow.config import Config
from workflow.engines import caffe_log, ready
from workflow.engines.base import Control, Done, Event, Job, Note, Started, Validation
from workflow.errors import EnvironmentFault, UsageError
from workflow.formats import caffe_pb2, prototxt
from workflow.formats.lmdb import verify
from workflow.generations import Generation, Record, existing
from workflow.generations.record import Part
from workflow.report.curves import draw_curves
from workflow.training import as_run, growth, parts, ranks, start
from workflow.training.beginning import as_before_unless_begun, move_aside, opening
from workflow.training.end_checks import end_checks
from workflow.training.final_test import final_test
from workflow.training.keeper import Keeper
from workflow.training.recorder import Recorder
from workflow.training.restarts import restarted
from workflow.training.watch import Watch
from workflow.training.wishes import Wishes

_log = logging.getLogger("workflow")


def train(
    config: Config,
    *,
    number: int | None = None,
    max_iter: int | None = None,
    fresh: bool = False,
    resume: str | None = None,
    weights: Sequence[str] = (),
    seed: int | None = None,
    control: Control | None = None,
    command: Sequence[str] = (),
    hosts: Sequence[str] = (),
) -> Iterator[Event]:
    """Train a generation of the project, or resume it from its newest snapshot.

    Several generations may be trained in one process, each in a thread of its own. The number of torch's threads is
    the process's: such runs should ask for the same.

    Args:
        config: the settings; engine, threads, precision and device are in its block `train`.
        number: of the generation, the newest if None.
        max_iter: replaces the solver's.
        fresh: start from scratch; earlier snapshots and logs are moved aside, not deleted.
        resume: a snapshot or a solverstate to go on from, in place of the newest.
        weights: snapshots or caffemodels to start from.
        seed: replaces the solver's random_seed.
        control: requests to stop or to snapshot.
        command: the command line, for the record.
        hosts: machines that train it together, this one first, each with one worker; the others `lend` themselves.

    Yields:
        Started, Step, Validation, Snapshot, SnapshotFailed, Line and at last Done; before all of them a Note where
        weights were fitted to other classes.

    Raises:
        UsageError, DataError, BusyError, EnvironmentFault, DivergedError: as the tree of errors says.
    """
    if hosts:
        config = ranks.on_hosts(config, hosts)
    check_settings(config)
    generation = existing(config, number)
    wishes = Wishes(
        max_iter=max_iter,
        fresh=fresh,
        resume=resume,
        weights=tuple(weights),
        seed=seed,
        control=control or Control(),
        command=tuple(command),
        hosts=tuple(hosts),
    )
    with generation.held("wf train"):
        yield from restarted(lambda again: train_held(config, generation, again), wishes)


def check_settings(config: Config) -> None:
    """Refuse settings that do not go together.

    Raises:
        UsageError: bfloat16, a GPU or several workers, and real Caffe; T22.
    """
    settings = config.train
    ranks.check(settings)
    if settings.device == "cuda" and settings.engine != "torch":
        raise UsageError(
            "--device cuda is for the torch engine; real Caffe runs on the CPU here", hint="--engine torch"
        )
    if settings.precision == "bfloat16" and settings.engine != "torch":
        raise UsageError("precision bfloat16 is for the torch engine; real Caffe computes in float32")


def as_trained(config: Config, record: Record) -> Config:
    """The settings with the engine and precision of a record's training; those that are not recorded stay."""
    given = record.training.given
    kept = {name: given[name] for name in ("engine", "precision") if name in given}
    return structs.replace(config, train=structs.replace(config.train, **kept))


def train_held(config: Config, generation: Generation, wishes: Wishes) -> Iterator[Event]:
    """One run of a generation, or of its rerun with another seed, that this process holds.

    Raises:
        UsageError, DataError, EnvironmentFault, DivergedError: as `train`.
    """
    settings = config.train
    record = generation.read()
    start.check_dataset(generation, record)
    if settings.device == "cuda":  # before anything is moved aside
        from workflow.engines.torch_cpu.device import resolve  # PyTorch, which real Caffe's run does not need

        resolve("cuda", prototxt.read_solver(settings.solver))
    if settings.engine == "caffe":  # ours verifies when it opens them; a damaged one would kill real Caffe
        for split in record.counts:
            verify(generation.database(split))
    begin = start.choose(config, generation, record, resume=wishes.resume, weights=wishes.weights, fresh=wishes.fresh)
    resumed = record.training if begin.resume is not None else None
    dealt = None if wishes.one_of_several else ranks.ranks_of(settings, resumed, wishes.hosts)
    threads = ranks.threads(settings, dealt, resumed)
    before = parts.recipe(generation) if begin.resume is not None else None
    with as_before_unless_begun(generation) as beginning:
        if generation.seed is None:
            solver = as_run.write(config, generation, record, max_iter=wishes.max_iter, seed=wishes.seed)
        else:
            solver = as_run.repeat(generation)
        start.check_solver(record, solver, begin, patience=settings.patience)
        keeper = Keeper(
            wishes.control,
            patience=settings.patience,
            snapshots=settings.engine == "torch" and record.solver_split == "validation",
        )
        if begin.resume is not None:
            keeper.recall(generation.logs / "metrics.jsonl", begin.iteration)
        if begin.resume is not None and (begin.iteration >= solver.max_iter or keeper.lost_patience):
            final_test(config, generation)
            yield from _nothing_to_do(generation, begin, solver, keeper, told=not wishes.one_of_several)
            return
        _probe(generation)
        facts = _facts(settings.engine, settings.precision, threads, solver)
        facts |= ranks.facts(dealt, resumed)
        facts |= {"device": settings.device} if settings.device is not None else {}
        changed = [] if resumed is None else ranks.differences(dealt, resumed)
        facts["parts"] = _parts(generation, record, facts, begin, before, changed)
        weights = begin.weights
        if weights:
            begin, grown = growth.fit(config, generation, record, begin, seed=solver.random_seed)
            facts["growth"] = [{"from": one.source, **one.growth.json()} for one in grown]
            for one in grown:
                yield Note(text=one.words)
        job = Job(
            folder=config.project,
            solver=generation.prototxt("solver"),
            resume=begin.resume,
            weights=begin.weights,
            threads=threads,
            precision=settings.precision,
            device=settings.device,
            control=keeper,
            test_at_end=True,
            ranks=dealt,
        )
        run = ranks.run(settings.engine, job)
        with closing(run) as events:  # type: ignore[type-var]  # engines' runs are generators: this ends a worker process
            said = opening(events)
            beginning.begun = True
            if begin.resume is None and record.snapshots:
                record, aside = move_aside(generation, record)
                weights = tuple(
                    aside / "snapshots" / path.name if path.parent == generation.snapshots else path for path in weights
                )
            if weights:
                facts["weights"] = [generation.recorded(path) for path in weights]
            if wishes.command:
                record = structs.replace(record, commands=(*record.commands, wishes.command))
            log = caffe_log.Writer(
                net=prototxt.read_net(generation.prototxt("train_test")).name,
                policy=solver.lr_policy,
                display=solver.display,
                weights=begin.weights,
                project=config.project,
            )
            recorder = Recorder(generation, record, engine=settings.engine, facts=facts, log=log, keeper=keeper)
            watch = Watch(
                classes=record.classes,
                train=record.counts["train"],
                test=record.counts[record.solver_split],
                split=record.solver_split,
                net=prototxt.read_net(generation.prototxt("train_test")),
                solver=settings.solver.as_posix(),
            )
            yield from _recorded(_kept(itertools.chain(said, events), keeper, record.solver_split), recorder, watch)
        final_test(config, generation)
        _note(generation, [*watch.said.values(), *end_checks(config, generation)])


def _note(generation: Generation, warnings: list[str]) -> None:
    """Record what was wrong with the run, for its summary."""
    record = generation.read()
    if warnings or record.training.warnings:
        generation.write(structs.replace(record, training=record.training.updated({"warnings": warnings})))


def _kept(events: Iterable[Event], keeper: Keeper, split: str) -> Iterator[Event]:
    """The events, after the keeper has processed them; test passes get the part that they looked at.

    A run that ends because its test passes get no better is complete: it was not stopped.
    """
    for event in events:
        keeper.see(event)
        if isinstance(event, Validation):
            yield structs.replace(event, split=split)
        else:
            yield structs.replace(event, stopped=False) if isinstance(event, Done) and keeper.ended_it else event


def _recorded(events: Iterable[Event], recorder: Recorder, watch: Watch) -> Iterator[Event]:
    try:
        with recorder:
            for event in events:
                recorder.write(event)
                watch.see(event)
                yield event
    except OSError as error:
        raise EnvironmentFault(f"{recorder.generation.folder}: {error.strerror or error}", fault="T16") from error
    finally:
        metrics = recorder.generation.logs / "metrics.jsonl"
        if metrics.is_file():
            draw_curves(metrics, recorder.generation.logs / "curves.png")


def _nothing_to_do(
    generation: Generation, begin: start.Start, solver: caffe_pb2.SolverParameter, keeper: Keeper, *, told: bool
) -> Iterator[Event]:
    if told and keeper.lost_patience:
        _log.warning(
            "nothing to do: the last test passes of generation %d were no better "
            "(a larger --patience, or none, trains longer, --fresh starts from scratch)",
            generation.number,
        )
    elif told:
        _log.warning(
            "nothing to do: generation %d already has %d of %d iterations "
            "(--max-iter N trains longer, --fresh starts from scratch)",
            generation.number,
            begin.iteration,
            solver.max_iter,
        )
    yield Started(iteration=begin.iteration, max_iter=solver.max_iter, images=0, resumed_from=begin.resume)
    yield Done(iteration=begin.iteration, loss=None)


def _probe(generation: Generation) -> None:
    """Find out before the first step whether snapshots can be written, as Caffe does.

    Raises:
        EnvironmentFault: T09.
    """
    probe = generation.snapshots / f".probe-{os.getpid()}"
    try:
        generation.snapshots.mkdir(exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise EnvironmentFault(
            f"cannot write to {generation.folder} ({error.strerror})",
            hint="check its owner and permissions",
            fault="T09",
        ) from error


def _facts(engine: str, precision: str, threads: int | None, solver: caffe_pb2.SolverParameter) -> dict[str, Any]:
    return {
        "engine": engine,
        "engine_version": ready.status(engine).version,
        "precision": precision,
        "threads": threads or (cores.threads() if engine == "torch" else 1),
        "solver_type": solver.type,
        "random_seed": solver.random_seed,
    }


def _parts(
    generation: Generation,
    record: Record,
    facts: dict[str, Any],
    begin: start.Start,
    before: parts.Recipe | None,
    dealt: Sequence[str],
) -> list[Part]:
    """The record's parts; reports what differs from the run that is resumed: the result will not be byte-identical."""
    now = parts.recipe(generation)
    recorded = (record.training.parts or ()) if begin.resume is not None else ()
    if now is None:
        return list(recorded)
    changed = [*([] if before is None else parts.differences(before, now)), *dealt]
    keys = ("engine", "engine_version", "precision", "threads") if begin.resume is not None else ()
    for key in keys:
        was = getattr(record.training, key)
        if was is not None and was != facts[key]:
            changed.append(f"{key.replace('_', ' ')} {facts[key]} (was {was})")
    if changed:
        _log.warning("resuming from iteration %d with different settings: %s", begin.iteration, ", ".join(changed))
    return parts.extended(recorded, before, now, iteration=begin.iteration, changed=changed)

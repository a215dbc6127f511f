"""How a run's batches are dealt out to several processes: what the settings say, and what the run was begun with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import structs

from workflow import engines
from workflow.config import Config, Train
from workflow.engines.base import Event, Job, Ranks
from workflow.errors import UsageError
from workflow.generations.record import Training


def check(settings: Train) -> None:
    """Refuse settings that need one process.

    Raises:
        UsageError: T22.
    """
    if settings.workers == 1 and settings.micro in (None, 1):
        return
    what = f"--workers {settings.workers}" if settings.workers > 1 else f"--micro {settings.micro}"
    if settings.engine != "torch":
        raise UsageError(f"{what} is for the torch engine, not for real Caffe", hint="--engine torch", fault="T22")
    if settings.device == "cuda":
        raise UsageError(f"{what} is for the CPU, not for --device cuda", hint="leave out --device", fault="T22")
    if settings.batch == "each" and settings.micro is not None:
        raise UsageError(
            f"--micro {settings.micro}: with --batch each every worker computes a whole batch",
            hint="leave out --micro, or say --batch split",
            fault="T22",
        )


def on_hosts(config: Config, hosts: Sequence[str]) -> Config:
    """The settings with one worker a host.

    Raises:
        UsageError: T22, they say another number of workers; and as `check_hosts`.
    """
    check_hosts(hosts)
    if config.train.workers not in (1, len(hosts)):
        raise UsageError(
            f"--workers {config.train.workers} and {len(hosts)} hosts: each host has one worker",
            hint="leave out --workers; --threads says how many cores of a host are used",
            fault="T22",
        )
    return structs.replace(config, train=structs.replace(config.train, workers=len(hosts)))


def check_hosts(hosts: Sequence[str]) -> None:
    """Refuse a list that names fewer than two hosts.

    Raises:
        UsageError: T22.
    """
    if len(set(hosts)) < max(2, len(hosts)):
        raise UsageError(f"--hosts {','.join(hosts)}: expected at least two different hosts", fault="T22")


def ranks_of(settings: Train, before: Training | None, hosts: tuple[str, ...] = ()) -> Ranks | None:
    """How the batches of a run are dealt out; None for whole batches in one process.

    The number of micro-batches decides the bytes of a snapshot. A run that is resumed keeps it, however many workers
    there are now.

    Args:
        settings: as `check` let them pass.
        before: the run that is resumed, None for a run from the start.
        hosts: one for each worker, or none.

    Raises:
        UsageError: T21, fewer micro-batches than workers.
    """
    workers = settings.workers
    if settings.batch == "each":
        if workers == 1:
            return None
        return Ranks(workers=workers, rule="each", micro=workers, hosts=hosts, interface=settings.interface)
    begun = None if before is None or before.batch == "each" else before.micro or 1
    micro = settings.micro or begun or workers
    if micro < workers:
        raise UsageError(
            f"{workers} workers, but each batch is {'one piece' if micro == 1 else f'{micro} micro-batches'}"
            + ("" if settings.micro else " in the run that is resumed")
            + ", expected at least one micro-batch a worker",
            hint=f"--workers {micro}, or --micro {workers}"
            + ("" if settings.micro else ", with which snapshots are not those of an unbroken run"),
            fault="T21",
        )
    if workers == micro == 1:
        return None
    return Ranks(workers=workers, micro=micro, hosts=hosts, interface=settings.interface)


def facts(ranks: Ranks | None, before: Training | None) -> dict[str, Any]:
    """What the record says of it; nothing where batches were never split."""
    if ranks is None:
        return {} if before is None or before.micro is None else {"workers": 1, "batch": "split", "micro": 1}
    return {"workers": ranks.workers, "batch": ranks.rule, "micro": ranks.micro}


def differences(ranks: Ranks | None, before: Training) -> list[str]:
    """What differs from the run that is resumed and changes the result, in words."""
    now, was = (
        (ranks.rule, ranks.micro) if ranks is not None else ("split", 1),
        (before.batch or "split", before.micro or 1),
    )
    if now == was:
        return []
    if "each" in (now[0], was[0]):
        return [f"{_said(*now)} (was {_said(*was)})"]
    return [f"{now[1]} micro-batches (was {was[1]})"]


def _said(rule: str, micro: int) -> str:
    return f"{micro} workers with a batch each" if rule == "each" else f"{micro} micro-batches"


def threads(settings: Train, ranks: Ranks | None, before: Training | None) -> int | None:
    """Threads of each process; as many as before where the bytes depend on it, one if nothing is said."""
    if ranks is None or settings.threads is not None:
        return settings.threads
    return (before.threads if before is not None and before.micro is not None else None) or 1


def run(engine: str, job: Job) -> Iterator[Event]:
    """The events of a run, in one process or in several."""
    if job.ranks is None or job.ranks.workers == 1:
        return engines.get(engine).train(job)
    from workflow.engines.ranks.lead import train  # what one process does not need

    return train(job, job.ranks)

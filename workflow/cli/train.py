"""wf train."""

from __future__ import annotations

from typing import Annotated, Literal

import click

from workflow.cli.options import Call, Gen
from workflow.cli.parameters import Option
from workflow.cli.progress import Training
from workflow.errors import UsageError


def train(
    call: Call,
    gen: Gen = None,
    engine: Annotated[
        Literal["torch", "caffe"] | None,
        Option("--engine", help="Engine (default: `train.engine` in the settings)."),
    ] = None,
    max_iter: Annotated[
        int | None, Option("--max-iter", metavar="N", min=0, help="Override the solver's max_iter.")
    ] = None,
    fresh: Annotated[
        bool, Option("--fresh", help="Start from scratch; the earlier run is kept in another folder.")
    ] = False,
    weights: Annotated[
        list[str] | None,
        Option(
            "--weights", metavar="REF", help="Start from the weights of a snapshot or caffemodel, or of several: a,b."
        ),
    ] = None,
    resume: Annotated[
        str | None, Option("--resume", metavar="REF", help="Resume from this snapshot or .solverstate.")
    ] = None,
    threads: Annotated[int | None, Option("--threads", metavar="N", min=1, help="Number of threads.")] = None,
    precision: Annotated[
        Literal["float32", "bfloat16"] | None,
        Option("--precision", help="Number format; bfloat16 needs torch and a CPU that supports it."),
    ] = None,
    balance: Annotated[
        Literal["none", "loss"] | None,
        Option("--balance", help="loss: weight the loss so that rare and common classes count equally."),
    ] = None,
    patience: Annotated[
        int | None,
        Option(
            "--patience",
            metavar="N",
            min=1,
            help="Stop after N test passes in a row without improvement (on the validation pictures, if any).",
        ),
    ] = None,
    passes: Annotated[
        int | None,
        Option(
            "--passes",
            metavar="N",
            min=1,
            help="Train at most N passes over the training pictures; the solver's schedule is shortened to fit.",
        ),
    ] = None,
    device: Annotated[
        Literal["cpu", "cuda"] | None,
        Option("--device", help="Device for torch (default: the solver's solver_mode, else the CPU)."),
    ] = None,
    workers: Annotated[
        int | None,
        Option("--workers", metavar="N", min=1, help="Train with N processes, each with one thread or --threads."),
    ] = None,
    batch: Annotated[
        Literal["split", "each"] | None,
        Option("--batch", help="split: workers share a batch; each: every worker computes a batch of its own."),
    ] = None,
    micro: Annotated[
        int | None,
        Option("--micro", metavar="M", min=1, help="Split a batch into M micro-batches (default: one a worker)."),
    ] = None,
    hosts: Annotated[
        str | None,
        Option("--hosts", metavar="A,B", help="Train on several machines, one worker each; run the command on all."),
    ] = None,
    rank: Annotated[
        int | None, Option("--rank", metavar="K", min=0, help="This machine's place in --hosts; 0 leads.")
    ] = None,
    seed: Annotated[int | None, Option("--seed", metavar="N", min=0, help="Override the solver's random_seed.")] = None,
    seeds: Annotated[
        int | None,
        Option(
            "--seeds",
            metavar="N",
            min=1,
            help="Train N times with different random seeds, to measure random variation.",
        ),
    ] = None,
) -> None:
    """Train a generation, or resume it from its newest snapshot.

    Ctrl-C finishes the iteration, writes a snapshot and stops; a second Ctrl-C stops at once.

    wf train
    wf train --config configs/cifar10.yaml --gen 1 --threads 2
    wf train --gen 6 --weights gen5/best --seeds 3
    wf train --workers 2
    wf train --hosts 10.0.0.1,10.0.0.2 --rank 0
    """
    if (hosts is None) != (rank is None):
        given, other = ("--hosts", "--rank") if rank is None else ("--rank", "--hosts")
        raise UsageError(f"{given} needs {other}", hint="see docs/training-on-several-machines.md", fault="T22")
    machines = tuple(name.strip() for name in hosts.split(",")) if hosts else ()
    project = call.project(
        train__engine=engine,
        train__threads=threads,
        train__precision=precision,
        train__balance=balance,
        train__patience=patience,
        train__passes=passes,
        train__device=device,
        train__workers=workers,
        train__batch=batch,
        train__micro=micro,
    )
    from workflow.api.events import Control  # numpy and torch, which --help does not need
    from workflow.cli.signals import obeyed

    control = Control()
    always = project.constant_answer(gen)
    with obeyed(control, call.console) as interruption, Training(call.console, always=always) as progress:
        try:
            if rank:
                project.lend(machines, rank, progress=progress.see, control=control)
                raise click.exceptions.Exit(interruption.exit_code)
            found = project.train(
                gen,
                max_iter=max_iter,
                fresh=fresh,
                weights=tuple(weights or ()),
                resume=resume,
                seed=seed,
                seeds=seeds,
                hosts=machines,
                progress=progress.see,
                control=control,
            )
        except KeyboardInterrupt:
            progress.say(f"stopped; the last snapshot is {progress.snapshot}" if progress.snapshot else "stopped")
            raise
    facts = found.json()
    call.console.result(facts, found.words())
    if interruption.exit_code:
        call.console.say(
            f"stopped at iteration {progress.iteration:,}; {_again(facts['generation'], seeds)} resumes it"
        )
        raise click.exceptions.Exit(interruption.exit_code)


def _again(number: int, seeds: int | None) -> str:
    return f"wf train --gen {number}" + (f" --seeds {seeds}" if seeds is not None else "")

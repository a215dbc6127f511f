"""Begin a run again from its last snapshot when one of its processes has died."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from workflow.engines.base import Event, Snapshot, Started, Step, TrainerDied
from workflow.errors import EnvironmentFault
from workflow.training.wishes import Wishes
from workflow.words import counted

_log = logging.getLogger("workflow")

_DEATHS = 5
"""Deaths without a new snapshot between them, after which a run is given up."""


def restarted(run: Callable[[Wishes], Iterator[Event]], wishes: Wishes) -> Iterator[Event]:
    """The events of a run that begins again where a trainer dies: its snapshots are those of an unbroken run.

    Args:
        run: one run.
        wishes: its options; each further one resumes from the last snapshot of these runs, if there is one.

    Raises:
        EnvironmentFault: T25, trainers die again and again, or one died after the wish to stop.
    """
    deaths, last, reached = 0, None, 0
    while True:
        try:
            with closing(run(wishes)) as events:  # type: ignore[type-var]  # runs are generators
                for event in events:
                    if isinstance(event, Started | Step):
                        reached = event.iteration
                    if isinstance(event, Snapshot):
                        deaths, last = 0, event.iteration
                        wishes = replace(wishes, resume=str(event.state), weights=(), fresh=False, command=())
                    yield event
        except TrainerDied as death:
            deaths += 1
            what = f"{death.message} at iteration {reached}"
            where = "from the start" if wishes.resume is None else f"from {_name(wishes.resume, last)}"
            if deaths == _DEATHS or wishes.control.stopping:
                raise EnvironmentFault(
                    f"{what}; {counted(deaths, 'death')} since the last snapshot",
                    hint=f"wf train goes on {where}; with fewer --workers it needs less memory",
                    fault="T25",
                ) from death
            _log.warning("%s; all begin again %s", what, where)
        else:
            return


def _name(resume: str, last: int | None) -> str:
    return Path(resume).stem if last is None else f"iter_{last}"

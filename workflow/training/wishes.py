"""What is wished of one run besides the settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from workflow.engines.base import Control


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The options of one run; see `run.train`."""

    max_iter: int | None = None
    fresh: bool = False
    resume: str | None = None
    weights: tuple[str, ...] = ()
    seed: int | None = None
    control: Control = field(default_factory=Control)
    command: tuple[str, ...] = ()
    one_of_several: bool = False
    """One of several runs with different seeds, which may be complete already: that is not reported then."""
    hosts: tuple[str, ...] = ()
    """Machines that train together, this one first."""

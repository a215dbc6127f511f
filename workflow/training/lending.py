"""`wf train --hosts A,B --rank K`: compute for a training that another host leads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workflow.config import Config
from workflow.engines.base import Control, Event
from workflow.errors import UsageError
from workflow.training.ranks import check_hosts


def lend(config: Config, hosts: Sequence[str], rank: int, control: Control) -> Iterator[Event]:
    """Compute for the first of the hosts, until it has ended the training; see `engines.ranks.guest`.

    Raises:
        UsageError: T22, no such rank.
        EnvironmentFault, WorkflowError: as the first host's run, or T23 and T24.
    """
    from workflow.engines.ranks.guest import lend as compute  # what one process does not need

    check_hosts(hosts)
    if not 0 < rank < len(hosts):
        raise UsageError(f"--rank {rank}: expected 0 to {len(hosts) - 1}, a place in --hosts", fault="T22")
    yield from compute(config.project, hosts, rank, control, asked=config.train.interface)

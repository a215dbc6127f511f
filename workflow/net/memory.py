"""Estimate the memory of a net before it is allocated."""

from __future__ import annotations

import os

from workflow.errors import NetError


def check_memory(needed: int, machine: int | None = None) -> None:
    """Refuse a net that does not fit in this machine's memory.

    Args:
        needed: estimate in bytes.
        machine: physical memory in bytes; asked of the operating system if None.

    Raises:
        NetError: it is more than the machine has.
    """
    if machine is None:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > machine:
        raise NetError(
            f"net needs about {needed / 1e9:.0f} GB of memory, this machine has {machine / 1e9:.0f} GB",
            hint="look for a num_output or batch_size that is too large",
            fault="X07",
        )

"""pycaffe's interface for several solvers that share the work; here there is always one."""

from __future__ import annotations

from workflow.errors import EngineMissing
from workflow.pycaffe.refusals import Refused

_HINT = "one process trains; PyTorch uses all of its cores"


class NCCL:
    """Caffe's link between GPUs, which this package does not have."""

    def __init__(self, *args: object) -> None:
        """Refuse.

        Raises:
            EngineMissing: always.
        """
        del args
        raise EngineMissing("NCCL: training on several GPUs is not supported", hint=_HINT)


def has_nccl() -> bool:
    """False."""
    return False


def solver_count() -> int:
    """1."""
    return 1


def solver_rank() -> int:
    """0."""
    return 0


def set_solver_count(count: int) -> None:
    """Accept 1.

    Raises:
        Refused: another number.
    """
    if count != 1:
        raise Refused(f"set_solver_count: {count}, expected 1", hint=_HINT)


def set_solver_rank(rank: int) -> None:
    """Accept 0.

    Raises:
        Refused: another number.
    """
    if rank != 0:
        raise Refused(f"set_solver_rank: {rank}, expected 0", hint=_HINT)


def set_multiprocess(multiprocess: bool) -> None:
    """Accept False.

    Raises:
        Refused: True.
    """
    if multiprocess:
        raise Refused("set_multiprocess: True, expected False", hint=_HINT)

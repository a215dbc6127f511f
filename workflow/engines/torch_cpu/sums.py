"""Adding up the vectors of micro-batches in their order, whichever process computed which."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Sums(Protocol):
    """The processes that train one net together, seen from one of them: number `rank` of `size`.

    Micro-batch m is computed by rank m modulo size.
    """

    rank: int
    size: int

    def add(self, own: Tensor) -> Tensor:
        """The sum of all micro-batches' vectors, added one by one in the order of the micro-batches.

        So it has the same bytes however many processes there are.

        Args:
            own: (micro-batches of this process, n), float32; overwritten.

        Returns:
            (n,), the same in every process.
        """
        ...

    def total(self, numbers: Tensor) -> Tensor:
        """The sum over all processes of whole numbers, int64 of any shape."""
        ...


class Alone:
    """One process computes all micro-batches; see `Sums`."""

    rank = 0
    size = 1

    def add(self, own: Tensor) -> Tensor:
        """See `Sums`."""
        return in_order(own)

    def total(self, numbers: Tensor) -> Tensor:
        """See `Sums`."""
        return numbers


def in_order(vectors: Tensor) -> Tensor:
    """The sum of rows (count, n), one after the other: (n,), in the memory of the first."""
    total = vectors[0]
    for vector in vectors[1:]:
        total += vector
    return total

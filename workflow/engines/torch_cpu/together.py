"""The processes that train one net together, joined by torch.distributed's gloo."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # it is exported, but not to type checkers
from torch.nn.functional import pad

from workflow.engines.torch_cpu.sums import in_order

PATIENCE = timedelta(seconds=60)
"""How long a process waits for the others in one exchange."""
_BEAT = 5.0  # seconds between two signs of life of rank 0
_SILENCE = timedelta(seconds=20)  # without one, after which those that wait for rank 0 give up


class LostError(Exception):
    """Another process of the group does not answer."""


class Together:
    """The group, seen from one process; see `Sums`. All processes call the same methods in the same order."""

    def __init__(self, rank: int, size: int, micro: int) -> None:
        """Not joined yet.

        Args:
            rank: of this process.
            size: number of processes.
            micro: number of micro-batches of all of them.
        """
        self.rank, self.size = rank, size
        self.seconds = 0.0
        """Spent in `add`, waiting for slower processes included."""
        self._counts = [len(range(other, micro, size)) for other in range(size)]
        self._told = 0

    def serve(self, address: str) -> int:
        """Open the store at which the processes meet, in rank 0; returns its port."""
        self._store = TCPStore(address, 0, is_master=True, wait_for_workers=False, timeout=PATIENCE)
        return int(self._store.port)

    def find(self, host: str, port: int) -> None:
        """Connect to rank 0's store, in the others.

        Raises:
            LostError: it does not answer.
        """
        with _lost():
            self._store = TCPStore(host, port, is_master=False, timeout=PATIENCE)

    def join(self, interface: str) -> None:
        """Wait until all processes are here, and connect with them through this network interface.

        Raises:
            LostError: not all came in time.
        """
        os.environ["GLOO_SOCKET_IFNAME"] = interface
        with _lost():
            dist.init_process_group("gloo", store=self._store, rank=self.rank, world_size=self.size, timeout=PATIENCE)
        if self.rank == 0:
            own = self._store.clone()  # type: ignore[attr-defined]  # a connection of its own, for another thread
            threading.Thread(target=_beat, args=(own,), daemon=True).start()

    def add(self, own: Tensor) -> Tensor:
        """See `Sums`: each process adds a slice of all vectors, then the slices are put together."""
        started = time.perf_counter()
        count, length = own.shape
        width = -(-length // self.size)  # of a slice
        sent = torch.zeros(self.size, count, width)
        for place, vector in enumerate(own):
            sent[:, place] = pad(vector, (0, self.size * width - length)).view(self.size, width)
        received = torch.empty(sum(self._counts), width)
        total = torch.empty(self.size * width)
        with _lost():
            dist.all_to_all_single(received, sent.view(-1, width), self._counts, [count] * self.size)
            dist.all_gather_into_tensor(total, in_order(received[self._order]))
        self.seconds += time.perf_counter() - started
        return total[:length]

    def total(self, numbers: Tensor) -> Tensor:
        """See `Sums`."""
        with _lost():
            dist.all_reduce(numbers)
        return numbers

    def share(self, tensors: Sequence[Tensor]) -> None:
        """Give all processes the numbers that these tensors, of any shapes, have in rank 0."""
        with torch.no_grad(), _lost():
            numbers = torch.cat([tensor.reshape(-1) for tensor in tensors])
            dist.broadcast(numbers, 0)
            for tensor, given in zip(
                tensors, torch.split(numbers, [tensor.numel() for tensor in tensors]), strict=True
            ):
                tensor.copy_(given.view(tensor.shape))

    def equal(self, digest: bytes) -> bool:
        """Whether all processes have the same digest, of 32 bytes."""
        own = torch.frombuffer(bytearray(digest), dtype=torch.uint8)
        all_of_them = torch.empty(self.size, len(digest), dtype=torch.uint8)
        with _lost():
            dist.all_gather_into_tensor(all_of_them.view(-1), own)
        return bool((all_of_them == own).all())

    def tell(self, text: str = "") -> str:
        """What rank 0 says here; the others wait for it, however long it takes while rank 0 is alive.

        Raises:
            LostError: rank 0 is gone.
        """
        key = f"told-{self._told}"
        self._told += 1
        with _lost():
            if self.rank == 0:
                self._store.set(key, text)
                return text
            heard = self._beats()
            while True:
                try:
                    self._store.wait([key], _SILENCE)
                except dist.DistStoreError:
                    before, heard = heard, self._beats()
                    if heard == before:
                        raise LostError("rank 0 is silent") from None
                else:
                    return str(self._store.get(key).decode())

    def leave(self) -> None:
        """The last call of each process; rank 0, whose store the others may still be asking, waits for them."""
        with _lost():
            if self.rank:
                self._store.add(_LEFT, 1)
            while self.rank == 0 and int(self._store.add(_LEFT, 0)) < self.size - 1:
                time.sleep(0.01)

    @property
    def _order(self) -> list[int]:
        """The place of each micro-batch, in order, among the vectors of rank 0, those of rank 1 and so on."""
        starts = [sum(self._counts[:rank]) for rank in range(self.size)]
        return [starts[micro % self.size] + micro // self.size for micro in range(sum(self._counts))]

    def _beats(self) -> int:
        return int(self._store.add(_BEATS, 0))


_BEATS, _LEFT = "beats", "left"


def _beat(store: TCPStore) -> None:
    while True:
        try:
            store.add(_BEATS, 1)
        except RuntimeError:  # the group ends
            return
        time.sleep(_BEAT)


@contextmanager
def _lost() -> Iterator[None]:
    """Turn what torch.distributed raises where a process is gone into LostError."""
    try:
        yield
    except RuntimeError as error:
        raise LostError(str(error).splitlines()[0]) from error

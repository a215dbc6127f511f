"""The solver of one of several processes that train one net, and the wishes that all of them follow."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import Tensor

from workflow.engines.base import Control, Ranks
from workflow.engines.torch_cpu.dealt import DealtSolver
from workflow.engines.torch_cpu.device import resolve
from workflow.engines.torch_cpu.together import Together
from workflow.errors import WorkflowError
from workflow.formats import caffe_pb2

_STOP, _SNAPSHOT = 1, 2


class Agreed(Control):
    """The requests that all processes follow after the same iteration: those of rank 0.

    They travel with the gradients; what is asked for during an iteration is done after the next one. After a test
    pass, which rank 0 makes alone, it tells the others by itself: the net that was tested may be worth a snapshot.
    """

    def __init__(self, group: Together, outer: Control) -> None:
        super().__init__()
        self._group, self._outer = group, outer
        self._told = False

    def said(self) -> float:
        """See `micro.Wishes`."""
        return _STOP * self._outer.stopping + _SNAPSHOT * self._outer.take_snapshot_wish()

    def heard(self, wish: float) -> None:
        """See `micro.Wishes`."""
        self._told = True
        if int(wish) & _STOP:
            self.stop()
        if int(wish) & _SNAPSHOT:
            self.snapshot()

    def take_snapshot_wish(self) -> bool:
        """See `Control`; asked by all processes at the same points of the schedule."""
        if not self._told:
            self.heard(float(self._group.tell(str(self.said()) if self._group.rank == 0 else "")))
        self._told = False
        return super().take_snapshot_wish()


class Member(DealtSolver):
    """See `DealtSolver`; rank 0 alone tests and writes snapshots."""

    def __init__(
        self,
        param: caffe_pb2.SolverParameter,
        ranks: Ranks,
        group: Together,
        *,
        folder: Path,
        bfloat16: bool,
        device: str | None,
        threads: int,
        control: Agreed,
    ) -> None:
        """Build the nets; see `DealtSolver`."""
        mine = caffe_pb2.SolverParameter()
        mine.CopyFrom(param)
        if group.rank:
            for field in ("test_iter", "test_net", "test_net_param", "test_state", "weights"):
                mine.ClearField(field)
        super().__init__(
            mine,
            ranks,
            group,
            threads=threads,
            folder=folder,
            bfloat16=bfloat16,
            device=resolve(device, mine),
            wishes=control,
        )
        self._group = group

    def even_out(self) -> None:
        """Take over rank 0's weights, history and iteration."""
        state = torch.tensor([self.iter, self.rate.current_step], dtype=torch.float64)
        self._group.share([state])
        self._group.share([one.tensor for one in self.net.learnable] + list(self.rule.history))
        self.iter, self.rate.current_step = (int(number) for number in state)

    def snapshot(self) -> tuple[Path, Path]:
        """Compare all processes' weights, then let rank 0 write; returns the paths there.

        Raises:
            WorkflowError: T26, the weights differ.
            OSError: rank 0 could not write.
        """
        learned = [one.tensor for one in self.net.learnable if one.rate]  # BatchNorm's statistics are each rank's own
        if not self._group.equal(_digest(learned)):
            raise WorkflowError(
                f"the workers' weights differ after iteration {self.iter}",
                hint="a machine computes wrongly; the snapshots before are those of equal weights",
                fault="T26",
            )
        if self._group.rank:
            reason = self._group.tell()
            if reason:
                raise OSError(reason)
            return Path(), Path()
        try:
            paths = super().snapshot()
        except OSError as error:
            self._group.tell(error.strerror or str(error))
            raise
        self._group.tell()
        return paths


def _digest(tensors: list[Tensor]) -> bytes:
    """SHA-256 of the numbers."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.detach().contiguous().numpy().tobytes())
    return digest.digest()

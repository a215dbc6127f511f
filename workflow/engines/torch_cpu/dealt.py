"""A solver that deals the rows of each batch out, to threads, to processes or to both, with equal weights."""

from __future__ import annotations

from pathlib import Path

import torch

from workflow.data.rows import Rows
from workflow.engines.base import Ranks, Shape
from workflow.engines.torch_cpu.micro import MicroBatches, Wishes
from workflow.engines.torch_cpu.net import Net
from workflow.engines.torch_cpu.solver import Solver
from workflow.engines.torch_cpu.sums import Alone, Sums
from workflow.errors import NetError, UsageError
from workflow.formats import caffe_pb2
from workflow.net.cost import multiply_adds
from workflow.net.splitting import cannot_split, check_rows

_LEAST = 500_000_000
"""Multiply-adds of a forward pass over a thread's rows. Fewer make slow operations: beside threads that share each
operation, cifar10_quick takes 0.98 of the time with 2 x 50 rows (6e8 each), 1.05 with 2 x 25, LeNet 1.07 with 2 x 32.
"""
_MOST = 4
"""Threads that are given rows of their own: each has gradients of its own, as large as the parameters, to add."""


class DealtSolver(Solver[Net]):
    """See `Solver`.

    Threads that share an operation wait for each other behind each one, a hundred times an iteration, and beside a
    busy process each of these waits is long. Threads with rows of their own wait once.
    """

    def __init__(
        self,
        param: caffe_pb2.SolverParameter,
        ranks: Ranks | None,
        sums: Sums | None = None,
        *,
        threads: int = 1,
        folder: Path | None = None,
        bfloat16: bool = False,
        device: torch.device | None = None,
        wishes: Wishes | None = None,
    ) -> None:
        """Build the nets.

        Args:
            param: the solver.
            ranks: how a batch is dealt out. If None, each thread gets a part of it where no row depends on the others;
                elsewhere, and on a GPU, it is computed as a whole.
            sums: adds up what the processes computed; None for one that is alone.
            threads: of this process.
            folder: see `Solver`.
            bfloat16: see `Solver`.
            device: see `Solver`.
            wishes: see `MicroBatches`.

        Raises:
            NetError: T20, the net's batch cannot be split as `ranks` says; and all that `Solver` raises.
            UsageError: T21, more micro-batches than rows; T22, `ranks` on a GPU.
        """
        if ranks is not None and device is not None and device.type != "cpu":
            raise UsageError(
                "the solver says solver_mode: GPU, but batches are split on the CPU only",
                hint="--device cpu, or one worker without --micro",
                fault="T22",
            )
        super().__init__(param, folder=folder, bfloat16=bfloat16, device=device)
        try:
            parts = _for_threads(self.net, threads) if ranks is None else _parts(self.net, ranks)
            if parts:
                self.gradients = MicroBatches(self.net, parts, sums or Alone(), self.autocast, threads, wishes)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close databases, and end the threads."""
        super().close()
        if isinstance(self.gradients, MicroBatches):
            self.gradients.close()


def _for_threads(net: Net, threads: int) -> list[Rows]:
    """The rows of each thread; empty where the threads had better compute the whole batch together."""
    sources = {layer.spec.type for layer in net.layers if not layer.spec.bottoms}
    if net.device.type != "cpu" or not 1 < threads <= _MOST:
        return []
    if sources != {"Data"} or _multiply_adds(net) < threads * _LEAST:  # other sources read the whole batch for each
        return []
    try:
        return _parts(net, Ranks(micro=threads))
    except (NetError, UsageError):
        return []


def _multiply_adds(net: Net) -> int:
    """Of a forward pass over a whole batch."""
    shapes = net.shapes
    return sum(
        multiply_adds(
            layer.message,
            [shapes[bottom] for bottom in layer.spec.bottoms],
            [shapes[top] for top in layer.spec.tops],
            [tuple(blob.shape) for blob in layer.blobs],
        )
        for layer in net.layers
    )


def _parts(net: Net, ranks: Ranks) -> list[Rows]:
    """The rows of each micro-batch."""
    if ranks.rule == "each":
        return [Rows(index=index, parts=ranks.workers) for index in range(ranks.workers)]
    batch = check_rows(net.spec, net.shapes)
    if ranks.micro > batch:
        raise UsageError(
            f"--micro {ranks.micro}: the net's batch_size is {batch}, expected at most one micro-batch a row",
            hint=f"--micro {batch}, or a larger batch_size",
            fault="T21",
        )
    for rows in {-(-batch // ranks.micro), batch // ranks.micro}:
        _check_shapes(net, batch, rows)
    return [Rows(index=index, parts=ranks.micro, batch=batch) for index in range(ranks.micro)]


def _check_shapes(net: Net, batch: int, rows: int) -> None:
    """Refuse a layer whose tops do not shrink with the rows, such as a Reshape that names the number of rows."""
    shapes: dict[str, Shape] = {}
    for layer in net.layers:
        spec = layer.spec
        expected = [_shrunk(net.shapes[top], batch, rows) for top in spec.tops]
        if spec.bottoms:
            try:
                found = layer.top_shapes(*[shapes[bottom] for bottom in spec.bottoms])
            except NetError as error:
                raise cannot_split(spec, f"takes no {rows} of {batch} rows ({error.message})") from error
            if list(found) != expected:
                raise cannot_split(spec, f"makes blobs of {list(found)} of {rows} of {batch} rows")
        shapes.update(zip(spec.tops, expected, strict=True))


def _shrunk(shape: Shape, batch: int, rows: int) -> Shape:
    return (shape[0] * rows // batch, *shape[1:]) if shape else ()

"""A solver that computes each batch in micro-batches, alone or as one of several processes with equal weights."""

from __future__ import annotations

from pathlib import Path

from workflow.data.rows import Rows
from workflow.engines.base import Ranks, Shape
from workflow.engines.torch_cpu.device import resolve
from workflow.engines.torch_cpu.micro import MicroBatches, Wishes
from workflow.engines.torch_cpu.net import Net
from workflow.engines.torch_cpu.solver import Solver
from workflow.engines.torch_cpu.sums import Alone, Sums
from workflow.errors import NetError, UsageError
from workflow.formats import caffe_pb2
from workflow.net.splitting import cannot_split, check_rows


class RankedSolver(Solver[Net]):
    """See `Solver`; on the CPU."""

    def __init__(
        self,
        param: caffe_pb2.SolverParameter,
        ranks: Ranks,
        sums: Sums | None = None,
        *,
        folder: Path | None = None,
        bfloat16: bool = False,
        device: str | None = None,
        wishes: Wishes | None = None,
    ) -> None:
        """Build the nets.

        Args:
            param: the solver.
            ranks: how a batch is dealt out.
            sums: adds up what the processes computed; None for one that is alone.
            folder: see `Solver`.
            bfloat16: see `Solver`.
            device: see `device.resolve`.
            wishes: see `MicroBatches`.

        Raises:
            NetError: T20, the net's batch cannot be split; and all that `Solver` raises.
            UsageError: T21, more micro-batches than rows; T22, the solver asks for a GPU, and there is one.
        """
        if resolve(device, param).type != "cpu":
            raise UsageError(
                "the solver says solver_mode: GPU, but batches are split on the CPU only",
                hint="--device cpu, or one worker without --micro",
                fault="T22",
            )
        super().__init__(param, folder=folder, bfloat16=bfloat16)
        try:
            parts = _parts(self.net, ranks)
            self._gradients = MicroBatches(self.net, self._autocast(), parts, sums or Alone(), wishes)
        except BaseException:
            self.close()
            raise


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

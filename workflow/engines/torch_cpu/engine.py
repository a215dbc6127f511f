"""The default engine: Caffe nets and solvers on PyTorch, on the CPU or, for training, on a GPU."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import torch

from workflow import cores
from workflow.engines.base import Array, Event, Job, Started
from workflow.engines.status import Status
from workflow.engines.torch_cpu.built import arrays, as_array
from workflow.engines.torch_cpu.dealt import DealtSolver
from workflow.engines.torch_cpu.device import resolve
from workflow.engines.torch_cpu.net import Net
from workflow.engines.torch_cpu.solver import Solver
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import read_solver
from workflow.net.build import build


class Session:
    """A net in TEST phase; see `workflow.engines.base.Session`."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.inputs = net.spec.inputs
        self.outputs = net.spec.outputs

    def forward(self, blobs: Collection[str] | None = None, /, **inputs: Array) -> dict[str, Array]:
        """The blobs asked for, or all, after the whole pass, in net order."""
        with torch.inference_mode():
            self.net.run(inputs)
        return arrays((name, self.net.blobs[name]) for name in self.net.blobs if blobs is None or name in blobs)

    @property
    def params(self) -> dict[str, Sequence[Array]]:
        """Layer name -> copies of its parameter blobs."""
        return {name: [as_array(blob) for blob in blobs] for name, blobs in self.net.params.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.net.close()


class Engine:
    """Engine `torch`; see `workflow.engines.base.Engine`."""

    name = "torch"

    def status(self) -> Status:
        """Ready if it can be imported."""
        return Status(name=self.name, ready=True, version=f"PyTorch {torch.__version__}", trains=True)

    def open(
        self,
        net: caffe_pb2.NetParameter,
        weights: caffe_pb2.NetParameter | None,
        *,
        source: Path | None = None,
        ignore: Sequence[str] = (),
        folder: Path = Path(),
    ) -> Session:
        """A session in TEST phase; weights of layers named in `ignore` are not copied."""
        built = Net(build(net, phase="TEST", source=source), folder=folder)
        if weights is not None:
            built.copy_from(weights, ignore=ignore)
        return Session(built)

    def train(self, job: Job) -> Iterator[Event]:
        """Run the solver in this process, event by event."""
        threads = job.threads or cores.threads()
        torch.set_num_threads(threads)
        param = read_solver(job.solver)
        solver = DealtSolver(
            param,
            job.ranks,
            threads=threads,
            folder=job.folder,
            bfloat16=job.precision == "bfloat16",
            device=resolve(job.device, param),
        )
        try:
            if job.resume is not None:
                solver.restore(job.resume)
            for path in job.weights:
                solver.take_weights(path)
            yield started(solver, job.resume)
            yield from solver.run(job.control, test_at_end=job.test_at_end)
        finally:
            solver.close()


def started(solver: Solver[Net], resumed_from: Path | None, *, batches: int = 1) -> Started:
    """The event that a run begins; its pictures are those of the train net's Data layers, in so many batches."""
    sizes = [layer.message.data_param.batch_size for layer in solver.net.layers if layer.spec.type == "Data"]
    images = max(sizes, default=0) * solver.param.iter_size * batches
    return Started(iteration=solver.iter, max_iter=solver.param.max_iter, images=images, resumed_from=resumed_from)

"""The numpy engine: which nets it opens, and which it refuses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from workflow.engines.base import Event, Job
from workflow.engines.numpy_cpu.layers import layer_types
from workflow.engines.numpy_cpu.session import Session
from workflow.engines.status import Status
from workflow.errors import UsageError
from workflow.formats import caffe_pb2
from workflow.net.build import build
from workflow.net.rules import State, kept


def knows(net: caffe_pb2.NetParameter) -> bool:
    """Whether every layer that the net has in TEST phase is of a type that this engine knows."""
    known = set(layer_types())
    return all(layer.type in known for layer in kept(net.layer, State(stages=tuple(net.state.stage))))


class Engine:
    """Runs nets forward, with numpy alone."""

    name = "numpy"

    def status(self) -> Status:
        """Always ready."""
        return Status(name=self.name, ready=True, version=f"numpy {np.__version__}", trains=False)

    def open(
        self,
        net: caffe_pb2.NetParameter,
        weights: caffe_pb2.NetParameter | None,
        *,
        source: Path | None = None,
        ignore: Sequence[str] = (),
        folder: Path = Path(),
    ) -> Session:
        """A session in TEST phase on `net`, weights copied by layer name; see `workflow.engines.base.Engine`.

        Fillers are not run here: a layer that has parameters needs weights.

        Raises:
            NetError: the net cannot be built, has a layer that this engine does not know, or shapes do not fit.
            ModelError: weights do not fit, or a layer with parameters gets none.
        """
        return Session(build(net, phase="TEST", source=source), weights, ignore=ignore, folder=folder)

    def train(self, job: Job) -> Iterator[Event]:
        """Refused: this engine runs nets forward only.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"the numpy engine does not train ({job.solver})", hint="--engine torch, or --engine caffe")

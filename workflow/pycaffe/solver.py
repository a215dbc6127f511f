"""pycaffe's six solvers, and `get_solver`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

import torch

from workflow.engines import torch_cpu
from workflow.engines.base import Control, Event, SnapshotFailed
from workflow.engines.caffe_log.writing import Writer
from workflow.errors import EnvironmentFault
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import read_solver
from workflow.net.spec import NetSpec
from workflow.pycaffe import mode
from workflow.pycaffe.execution import Running
from workflow.pycaffe.net import FilePath, Net, _existing
from workflow.pycaffe.refusals import FolderUnusable
from workflow.solvers import rule_types

log = logging.getLogger("workflow.pycaffe")


def _running(
    spec: NetSpec, /, *, seed: int, folder: Path | None, like: Running | None, device: torch.device | None
) -> Running:
    del device  # scripts reach their blobs as numpy arrays, on the CPU
    return Running(spec, seed=seed, folder=folder, like=like)


class _Passes:
    """Passes layer by layer, through blobs that scripts see and change, with callbacks around them."""

    def __init__(self) -> None:
        self.on_start: list[Callable[[], object]] = []
        self.on_gradients_ready: list[Callable[[], object]] = []

    def __call__(self, net: Running, passes: int, /) -> float:
        """As the engine's `Gradients` says."""
        net.clear_param_diffs()
        _call(self.on_start)
        last = len(net.layers) - 1
        total = 0.0
        for _ in range(passes):
            total += net.forward_range(0, last)
            net.backward_range(last, 0)
        _call(self.on_gradients_ready)
        bind_gradients(net)
        return total / passes


def bind_gradients(net: Running) -> None:
    """Let the update read, and change, the diffs that scripts see."""
    blobs = {
        (layer.spec.name, index): blob
        for layer, owned in zip(net.layers, net.param_memory, strict=True)
        for index, blob in enumerate(owned)
    }
    for one in net.learnable:
        one.tensor.grad = blobs[one.layer, one.index].gradient.fixed()


class Solver:
    """A solver of the type that its prototxt names.

    Test nets use the train net's parameters from the start; Caffe's do so from the first test on. A loss that is NaN
    or infinite stops the run (DivergedError), where Caffe continues. What Caffe logs goes to the logger
    `workflow.pycaffe`, level INFO.
    Source: src/caffe/solver.cpp; python/caffe/_caffe.cpp.
    """

    kind: ClassVar[str] = ""

    def __init__(self, solver_file: FilePath) -> None:
        """Read the solver and build its nets; paths in it are relative to the current folder.

        Raises:
            FileMissing: the file is not there (a RuntimeError too).
            FolderUnusable: snapshots could not be written (an OSError too).
            WorkflowError: the solver or its nets cannot be built.
        """
        source = _existing(solver_file)
        param = read_solver(source)
        if self.kind:
            param.type = self.kind
        param.snapshot_prefix = snapshot_prefix(param.snapshot_prefix, source)
        if param.snapshot > 0:
            _check_folder(Path(param.snapshot_prefix).parent)
        if param.random_seed < 0:
            param.random_seed = mode.draw_seed()
        self._passes = _Passes()
        self._trainer = torch_cpu.Solver(param, make_net=_running, gradients=self._passes, leave_updates=True)
        self.net, *self.test_nets = map(Net.around, (self._trainer.net, *self._trainer.test_nets))
        self._log = Writer(net=self.net.name, policy=param.lr_policy, display=param.display)

    @property
    def param(self) -> caffe_pb2.SolverParameter:
        """The settings; `base_lr`, `max_iter` and `display` may be changed while it runs."""
        return self._trainer.param

    @property
    def iter(self) -> int:
        """Updates made."""
        return self._trainer.iter

    @property
    def lr(self) -> float:
        """The learning rate of the next update.

        Under `multistep` with equal or falling stepvalues each look takes one of these steps, as in Caffe.
        """
        return self._trainer.rate.at(self.iter)

    @property
    def type(self) -> str:
        """SGD, Nesterov, AdaGrad, RMSProp, AdaDelta or Adam."""
        return self.param.type

    def step(self, count: int) -> None:
        """Make `count` updates, with the tests and snapshots that fall due.

        Raises:
            DivergedError: the loss became NaN or infinite.
            EnvironmentFault: a snapshot could not be written.
        """
        self._follow(self._trainer.steps(self.iter + count, Control()))

    def solve(self, resume_file: FilePath | None = None) -> None:
        """Train to max_iter with all that belongs to it, on from a solverstate if one is given.

        Raises:
            DivergedError, EnvironmentFault: as `step`.
        """
        if resume_file is not None:
            self.restore(resume_file)
        self._follow(self._trainer.run(Control()))

    def apply_update(self) -> None:
        """Turn the diffs of the parameters into one update: clip, decay, rate, history; `iter` grows by 1."""
        bind_gradients(self._trainer.net)
        self._trainer.update(self.lr)

    def snapshot(self) -> None:
        """Write weights and state under snapshot_prefix, binary or HDF5 as snapshot_format says."""
        self._trainer.snapshot()

    def restore(self, state: FilePath) -> None:
        """Resume from a solverstate, binary or HDF5, written by wf or real Caffe."""
        self._trainer.restore(_existing(state))

    def share_weights(self, net: Net) -> None:
        """Let another net use the train net's parameters."""
        net.share_with(self.net)

    def add_callback(self, on_start: Callable[[], object], on_gradients_ready: Callable[[], object]) -> None:
        """Call the first before each iteration's forward, the second between its backward and its update."""
        self._passes.on_start.append(on_start)
        self._passes.on_gradients_ready.append(on_gradients_ready)

    def _follow(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, SnapshotFailed):
                raise EnvironmentFault(f"cannot write snapshot at iteration {event.iteration}: {event.reason}")
            if log.isEnabledFor(logging.INFO):
                for _, message in self._log.messages(event):
                    log.info("%s", message)


class SGDSolver(Solver):
    """SGD with momentum, regardless of the type in the prototxt; the next five likewise."""

    kind = "SGD"


class NesterovSolver(Solver):
    """Nesterov's accelerated gradient."""

    kind = "Nesterov"


class AdaGradSolver(Solver):
    """AdaGrad."""

    kind = "AdaGrad"


class RMSPropSolver(Solver):
    """RMSProp."""

    kind = "RMSProp"


class AdaDeltaSolver(Solver):
    """AdaDelta."""

    kind = "AdaDelta"


class AdamSolver(Solver):
    """Adam."""

    kind = "Adam"


def get_solver(solver_file: FilePath) -> Solver:
    """A solver of the type that the file names, as one of the classes above."""
    kinds = {one.kind: one for one in Solver.__subclasses__()}
    kind = read_solver(_existing(solver_file)).type
    return kinds.get(kind, Solver)(solver_file)


def solver_types() -> list[str]:
    """The names of all known solver types, sorted."""
    return rule_types()


def snapshot_prefix(prefix: str, solver_file: Path) -> str:
    """The prefix of snapshots: unset is the solver's path without its ending; a folder gets the solver's name.

    Source: src/caffe/util/upgrade_proto.cpp, UpgradeSnapshotPrefixProperty.
    """
    if not prefix:
        return solver_file.with_suffix("").as_posix()
    return (Path(prefix) / solver_file.stem).as_posix() if Path(prefix).is_dir() else prefix


def _check_folder(folder: Path) -> None:
    """Refuse a folder that cannot hold the first snapshot before the first iteration, as Caffe does.

    Source: src/caffe/solver.cpp, Solver::CheckSnapshotWritePermissions.
    """
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        what = "cannot be written to" if folder.is_dir() else "does not exist"
        raise FolderUnusable(
            f"snapshot_prefix: folder {folder} {what}", hint=f"mkdir -p {folder}, or another snapshot_prefix"
        )


def _call(functions: Iterable[Callable[[], object]]) -> None:
    for function in functions:
        function()

"""Plan a job before Caffe starts: its nets, its databases, and the iteration at which a resumed run starts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workflow.engines.base import Job
from workflow.errors import ModelError
from workflow.formats import caffe_pb2, caffemodel, lmdb, solverstate
from workflow.formats.prototxt import read_solver
from workflow.net.solver import test_nets, train_net
from workflow.net.spec import LayerSpec, NetSpec

_NO_CURSOR = ("Input", "Parameter", "DummyData", "MemoryData")
"""Layers without bottoms that do not read records from a file."""

_DRAWING = ("Dropout", "DummyData")
"""Layers that draw from Caffe's one random stream at each forward pass in TRAIN phase."""


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Layers of one net to run again, so that cursors and random streams stand where they would have stood."""

    net: int
    """-1 for the train net, else the number of a test net."""
    layers: tuple[str, ...]
    times: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A solver with its nets, analysed before Caffe runs."""

    job: Job
    param: caffe_pb2.SolverParameter
    train: NetSpec
    tests: tuple[NetSpec, ...]

    def tests_before(self, iteration: int) -> bool:
        """Whether a test pass comes before the update of iteration k."""
        interval = self.param.test_interval
        due = interval > 0 and iteration % interval == 0 and bool(self.tests)
        return due and (iteration > 0 or self.param.test_initialization)

    def replays(self, iteration: int) -> Iterator[Replay]:
        """What a run that was never interrupted has run before iteration k, as far as it moves cursors and streams.

        Caffe stores neither in its solverstate. Records of an LMDB come in a fixed order, so whole rounds through it
        are left out; layers that draw random numbers of a seeded stream are run as often as they were, which takes
        time. The one thing not restored is a test net that draws (DummyData with random fillers).
        """
        yield from self._of(self.train, -1, iteration * self.param.iter_size)
        interval = self.param.test_interval
        if interval > 0:
            passes = math.ceil(iteration / interval)
            if passes and not self.param.test_initialization:
                passes -= 1
            for number, net in enumerate(self.tests):
                yield from self._of(net, number, passes * self.param.test_iter[number])

    def _of(self, net: NetSpec, number: int, rounds: int) -> Iterator[Replay]:
        seeded = self.param.random_seed >= 0
        for layer in net.layers:
            if layer.bottoms or layer.type in _NO_CURSOR:
                continue
            period = None if seeded and _draws(layer) else self._period(layer)
            if times := rounds % period if period else rounds:
                yield Replay(net=number, layers=(layer.name,), times=times)
        drawing = tuple(layer.name for layer in net.layers if layer.type in _DRAWING)
        if seeded and drawing and rounds and number < 0:
            yield Replay(net=number, layers=drawing, times=rounds)

    def _period(self, layer: LayerSpec) -> int | None:
        """Batches after which a Data layer is at the first record of its LMDB again; None if that is not known."""
        if not _reads_lmdb(layer):
            return None
        data = layer.message.data_param
        with lmdb.Reader(self.job.folder / data.source, trusted=True) as reader:  # verified by `plan`
            return len(reader) // math.gcd(len(reader), data.batch_size)


def plan(job: Job) -> Plan:
    """Read the solver and its nets, and verify every LMDB (a damaged one would kill Caffe without a word).

    Raises:
        PrototxtError, NetError: the solver or a net cannot be read or built.
        DatabaseError: an LMDB is missing, damaged, or of the wrong format.
    """
    param = read_solver(job.solver)
    train, tests = train_net(param, job.folder), tuple(test_nets(param, job.folder))
    layers = [layer for net in (train, *tests) for layer in net.layers]
    for source in {layer.message.data_param.source: None for layer in layers if _reads_lmdb(layer)}:
        lmdb.verify(job.folder / source)
    return Plan(job=job, param=param, train=train, tests=tests)


def start_weights(job: Job) -> list[Path]:
    """The caffemodels that a job starts from, absolute.

    Raises:
        ModelError: one is damaged, no caffemodel, or holds NaN or infinite weights (Caffe would not notice).
    """
    for path in job.weights:
        _check_weights(path)
    return [path.absolute() for path in job.weights]


def resumable(path: Path, folder: Path, temporary: Path) -> Path:
    """A solverstate that Caffe can restore in `folder`: the one given, or a copy that says where its weights are.

    Args:
        path: the solverstate.
        folder: the project folder.
        temporary: a folder for the copy.

    Raises:
        ModelError: the state or its weights are missing or damaged.
    """
    state = solverstate.read(path)
    weights = solverstate.weights_of(state, path, folder)
    _check_weights(weights)
    hdf5 = path.read_bytes()[:4] == b"\x89HDF"
    if weights == folder / state.learned_net and hdf5 == (path.suffix == ".h5"):
        return path.absolute()
    copy = temporary / ("state.solverstate.h5" if hdf5 else "state.solverstate")  # Caffe looks at the ending
    moved = solverstate.State(
        iteration=state.iteration,
        learned_net=str(weights.absolute()),
        history=state.history,
        current_step=state.current_step,
    )
    (solverstate.write_hdf5 if hdf5 else solverstate.write)(copy, moved)
    return copy


def _check_weights(path: Path) -> None:
    if bad := caffemodel.nonfinite(caffemodel.read(path)):
        name, count = next(iter(bad.items()))
        raise ModelError(
            f"{path} has {count} NaN or infinite weights in '{name}'", hint="use an earlier snapshot", fault="C05"
        )


def _reads_lmdb(layer: LayerSpec) -> bool:
    return layer.type == "Data" and layer.message.data_param.backend == caffe_pb2.DataParameter.LMDB


def _draws(layer: LayerSpec) -> bool:
    """Whether a data layer crops at random places or mirrors at random."""
    transform = layer.message.transform_param
    return transform.mirror or (transform.crop_size > 0 and layer.phase == "TRAIN")

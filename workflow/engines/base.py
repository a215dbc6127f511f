"""The interface of all engines, and the stream of events of a training run.

An engine opens a net for forward passes (`open` -> `Session`) and, if it can, trains one (`train` -> events).
Arrays that cross this border are numpy: float32, C-contiguous, Caffe's axis order (N, C, H, W).
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, Self

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from workflow.engines.status import Status
from workflow.errors import EnvironmentFault

if TYPE_CHECKING:
    from workflow.formats import caffe_pb2

Array = NDArray[np.float32]
Shape = tuple[int, ...]


# ---- events: what a training run reports ----


class Output(Struct, frozen=True, kw_only=True):
    """One number of a net output, as in the log line `Test net output #0: accuracy = 0.7`."""

    index: int
    name: str
    value: float
    loss_weight: float = 0.0


class Started(Struct, frozen=True, kw_only=True):
    """Training starts or resumes at `iteration`; `images` is the number of pictures per iteration."""

    iteration: int
    max_iter: int
    images: int
    resumed_from: Path | None = None


class Step(Struct, frozen=True, kw_only=True):
    """One update is done; `iteration` is the number k that Caffe's log shows, so the update made k + 1."""

    iteration: int
    loss: float
    """Loss of this iteration, averaged over iter_size."""
    rate: float
    """The learning rate that the update used."""
    seconds: float
    display: bool
    """Whether the solver's `display` asks for a log line here."""
    smoothed_loss: float
    """Mean of the last `average_loss` losses: what Caffe prints."""
    outputs: tuple[Output, ...] = ()
    """Outputs of the train net, present when `display`."""
    grown: str | None = None
    """Said once, when the loss is far above that of the first iteration: the layer whose output grew first, in words.
    The torch engine alone knows it."""


class Validation(Struct, frozen=True, kw_only=True):
    """A test pass over test net `net` after `iteration` updates; outputs are means over the pass."""

    iteration: int
    net: int
    outputs: tuple[Output, ...]
    seconds: float = 0.0
    balanced: float | None = None
    """The mean of the classes' recalls, 0..1; None where the engine does not report it, as real Caffe."""
    only: int | None = None
    """The class that every picture was given, where there is one and the engine reports it: real Caffe does not."""
    split: str = "test"
    """The part that the pictures are from, `validation` or `test`; engines do not know it, `training` fills it in."""

    def value(self, name: str) -> float | None:
        """The output of that name, None if the net has none."""
        return next((output.value for output in self.outputs if output.name == name), None)


class Snapshot(Struct, frozen=True, kw_only=True):
    """Weights and solver state after `iteration` updates are whole on disk under their final names."""

    iteration: int
    model: Path
    state: Path


class SnapshotFailed(Struct, frozen=True, kw_only=True):
    """A snapshot could not be written; training continues from what it has."""

    iteration: int
    reason: str


class Line(Struct, frozen=True, kw_only=True):
    """A line of the engine's own log, to be kept as it is (the caffe engine only)."""

    text: str


class Note(Struct, frozen=True, kw_only=True):
    """Something about the run that the user should know, and that is not an error."""

    text: str


class Done(Struct, frozen=True, kw_only=True):
    """The run is over; `stopped` if it was stopped before max_iter."""

    iteration: int
    loss: float | None
    stopped: bool = False
    display: bool = False
    """Whether Caffe would print a last `Iteration N, loss =` line."""
    outputs: tuple[Output, ...] = ()


Event = Started | Step | Validation | Snapshot | SnapshotFailed | Line | Note | Done


# ---- training ----


class Control:
    """Requests from outside (signals, a page) that an engine checks between iterations."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._snapshot = threading.Event()

    def stop(self) -> None:
        """Finish this iteration, snapshot, end."""
        self._stop.set()

    def snapshot(self) -> None:
        """Write a snapshot after this iteration and continue."""
        self._snapshot.set()

    @property
    def stopping(self) -> bool:
        """Whether a stop was requested."""
        return self._stop.is_set()

    def take_snapshot_wish(self) -> bool:
        """Whether a snapshot was requested since the last call."""
        wished = self._snapshot.is_set()
        self._snapshot.clear()
        return wished


class TrainerDied(EnvironmentFault):
    """One of several processes that train one net ended; the run can go on from its last snapshot."""


class Ranks(Struct, frozen=True, kw_only=True):
    """How one net is trained by several processes, or by one as by several."""

    workers: int = 1
    """Processes, each with the whole net: rank 0, which tests and writes snapshots, to `workers` - 1."""
    rule: Literal["split", "each"] = "split"
    """`split`: they share the prototxt's batch. `each`: each computes such a batch of its own, as with Caffe on several
    GPUs, and the mean of their gradients is one of a batch `workers` times as large."""
    micro: int = 1
    """Micro-batches that a batch is cut into, at least `workers`; as many as workers where each has its own batch."""
    hosts: tuple[str, ...] = ()
    """Names or addresses of the machines, one worker each; none where all are on this machine."""
    interface: str | None = None
    """Network interface between the hosts; None is the one that has this host's address."""


class Job(Struct, frozen=True, kw_only=True):
    """One training run of one solver, whose own paths are relative to `folder`, the project folder."""

    folder: Path
    solver: Path
    """solver.prototxt as run: net, sources, mean and snapshot prefix are filled in."""
    resume: Path | None = None
    """A solverstate to resume from."""
    weights: tuple[Path, ...] = ()
    """Caffemodels to start from, as `caffe train -weights` does; excludes `resume`."""
    threads: int | None = None
    precision: str = "float32"
    device: str | None = None
    """`cpu` or `cuda`; None leaves it to the solver's `solver_mode`."""
    test_at_end: bool = False
    """Also test after the last iteration where test_interval does not divide it (Caffe tests only where it does)."""
    control: Control = field(default_factory=Control)
    ranks: Ranks | None = None
    """None: one process and whole batches."""


# ---- forward passes ----


class Session(Protocol):
    """A net in TEST phase with its weights, open for forward passes; a context manager that leaves no trace."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def forward(self, blobs: Collection[str] | None = None, /, **inputs: Array) -> dict[str, Array]:
        """Run the whole net; a batch of another size than the prototxt's reshapes it.

        Args:
            blobs: those to hand out; None is all of them.
            inputs: one float32 array (N, C, H, W) for each of the net's inputs.

        Returns:
            The blobs in net order, the inputs first, copies: what it holds after the whole pass, so that a
            ReLU that works in place has already changed its bottom.

        Raises:
            NetError: an input is missing, unknown or of a wrong shape.
        """
        ...

    @property
    def params(self) -> Mapping[str, Sequence[Array]]:
        """Layer name -> its parameter blobs (weights first), for layers that have any."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Engine(Protocol):
    """One way to run Caffe nets. `workflow.engines.get(name)` gives one."""

    name: str

    def status(self) -> Status:
        """Whether it can run here; never raises."""
        ...

    def open(
        self,
        net: caffe_pb2.NetParameter,
        weights: caffe_pb2.NetParameter | None,
        *,
        source: Path | None = None,
        ignore: Sequence[str] = (),
        folder: Path = Path(),
    ) -> Session:
        """A session in TEST phase on `net` (already upgraded), weights copied by layer name.

        Args:
            net: the net.
            weights: a caffemodel.
            source: the net's file, for messages.
            ignore: layers whose weights are not copied.
            folder: that paths in the net are relative to, the project folder; `Path()` is the current folder.

        Raises:
            NetError: the net cannot be built, or has a layer that this engine does not know.
            ModelError: weights do not fit; the message shows layer, file's shape and net's shape.
            EngineMissing: the engine cannot run here.
        """
        ...

    def train(self, job: Job) -> Iterator[Event]:
        """Run a solver to its end; the caller draws the events and thereby drives the run.

        Closing the iterator stops the run at once and leaves no process behind.
        """
        ...

"""A Caffe solver on torch, under pycaffe's names, reported as a stream of events.

Source of the schedule: src/caffe/solver.cpp, Solver::Step, Solve and TestAll.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Generic, overload

import torch

from workflow.engines.base import Control, Done, Event, Output, Snapshot, SnapshotFailed, Step, Validation
from workflow.engines.torch_cpu import snapshots
from workflow.engines.torch_cpu.magnitudes import Magnitudes
from workflow.engines.torch_cpu.net import Net
from workflow.engines.torch_cpu.recalls import Recalls
from workflow.engines.torch_cpu.trainable import MakeNet, N, Trainable
from workflow.engines.torch_cpu.update import Autograd, Gradients, Update
from workflow.errors import DivergedError, NetError
from workflow.formats import caffe_pb2
from workflow.net.solver import test_nets, train_net
from workflow.net.spec import NetSpec
from workflow.solvers import Rate, create_rule


class Solver(Generic[N]):
    """Trains `net`, tests `test_nets`; `iter` updates are done.

    Attributes:
        net: the train net.
        test_nets: nets in TEST phase that use the train net's parameters.
        iter: completed updates.
        autocast: makes the precision in which passes compute, for one thread.
        gradients: how they are computed.
    """

    @overload
    def __init__(
        self: Solver[Net],
        param: caffe_pb2.SolverParameter,
        *,
        folder: Path | None = None,
        bfloat16: bool = False,
        device: torch.device | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        param: caffe_pb2.SolverParameter,
        *,
        folder: Path | None = None,
        make_net: MakeNet[N],
        gradients: Gradients[N],
        leave_updates: bool = False,
    ) -> None: ...

    def __init__(
        self,
        param: caffe_pb2.SolverParameter,
        *,
        folder: Path | None = None,
        bfloat16: bool = False,
        device: torch.device | None = None,
        make_net: Any = Net,
        gradients: Any = None,
        leave_updates: bool = False,
    ) -> None:
        """Build the nets.

        Args:
            param: the solver; `random_seed` below 0 draws one.
            folder: that paths are relative to; the current folder if None.
            bfloat16: compute convolutions and inner products in bfloat16, keep weights and sums in float32.
            device: where; the CPU if None.
            make_net: builds the nets.
            gradients: runs the train net; whole passes through autograd if None.
            leave_updates: see `Update`.

        Raises:
            NetError, PrototxtError, DatabaseError, ModelError: what cannot be built or read.
        """
        self.param = param
        self.folder = folder or Path()
        self.device = device or torch.device("cpu")
        self.autocast = partial(  # no cache: all threads would share one, with each other's tapes in it
            torch.autocast, self.device.type, dtype=torch.bfloat16, enabled=bfloat16, cache_enabled=False
        )
        self._make_net: MakeNet[N] = make_net
        self.gradients: Gradients[N] = Autograd(self.autocast) if gradients is None else gradients  # type: ignore[assignment]  # the overload for Net
        self.iter = 0
        self._losses: deque[float] = deque(maxlen=max(1, param.average_loss))
        self._magnitudes = Magnitudes()
        if param.regularization_type not in ("L1", "L2"):
            raise NetError(f"regularization_type '{param.regularization_type}', expected L1 or L2")
        if param.iter_size < 1:
            raise NetError(f"iter_size={param.iter_size}, expected at least 1")
        self.rate = Rate(param)
        seed = param.random_seed if param.random_seed >= 0 else torch.seed() % 2**31
        self.net = self._made(train_net(param, self.folder), seed)
        self.test_nets: list[N] = []
        try:
            for spec in test_nets(param, self.folder):
                self.test_nets.append(self._made(spec, seed, like=self.net))
            for name in (name for names in param.weights for name in names.split(",")):
                self.take_weights(self.folder / name.strip())
            self.rule = create_rule(param, [parameter.tensor for parameter in self.net.learnable])
            self._update = Update(param, self.rule, leave_in_gradient=leave_updates)
        except BaseException:
            self.close()
            raise

    def _made(self, spec: NetSpec, seed: int, like: N | None = None) -> N:
        return self._make_net(spec, seed=seed, folder=self.folder, like=like, device=self.device)

    def take_weights(self, path: Path) -> None:
        """Start from a caffemodel; what a test net has alone is copied, too.

        Raises:
            ModelError: it is damaged, or does not fit.
        """
        model = snapshots.read_weights(path)
        nets = (self.net, *self.test_nets)
        ours = {layer.spec.name for net in nets for layer in net.layers}
        told = {layer.name for layer in model.layer}  # unmatched weights are reported once, with the first net
        for index, net in enumerate(nets):
            net.copy_from(model, known=told if index else ours)

    def close(self) -> None:
        """Close databases."""
        for net in (self.net, *self.test_nets):
            net.close()

    # ---- the schedule ----

    def step(self, count: int) -> None:
        """Make `count` updates with the tests and snapshots that fall due (pycaffe's `Solver.step`)."""
        with closing(self.steps(self.iter + count, Control())) as events:
            for _ in events:
                pass

    def solve(self) -> None:
        """Train to max_iter with all that belongs to it (pycaffe's `Solver.solve`)."""
        for _ in self.run(Control()):
            pass

    def run(self, control: Control, *, test_at_end: bool = False) -> Iterator[Event]:
        """Train to max_iter, or until `control` asks to stop; ends with Done.

        Args:
            control: requests to stop or to snapshot.
            test_at_end: test after the last iteration also where test_interval does not divide it.
        """
        param = self.param
        # of a run resumed at or beyond max_iter, the snapshot that fell due at its iteration was written before
        resumed_at_end = self.iter >= param.max_iter and param.snapshot > 0 and self.iter % param.snapshot == 0
        snapshotted = self.iter if resumed_at_end else -1
        for event in self.steps(param.max_iter, control):
            if isinstance(event, Snapshot):
                snapshotted = event.iteration
            yield event
        if param.snapshot_after_train and snapshotted != self.iter:
            yield self._snapshot_event()
        if control.stopping and self.iter < param.max_iter:
            yield Done(iteration=self.iter, loss=None, stopped=True)
            return
        display = param.display > 0 and self.iter % param.display == 0
        loss: float | None = None
        outputs: tuple[Output, ...] = ()
        if display:
            with torch.inference_mode(), self.autocast():
                loss = self._smooth(float(self.net.run()))
                outputs = _outputs(self.net)
        if param.test_interval > 0 and (test_at_end or self.iter % param.test_interval == 0):
            yield from self._tests()
        yield Done(iteration=self.iter, loss=loss, display=display, outputs=outputs)

    def steps(self, end: int, control: Control) -> Generator[Event]:
        """Updates up to iteration `end`, or until `control` asks to stop, with the tests and snapshots due."""
        param = self.param
        self._losses.clear()
        while self.iter < end and not control.stopping:
            due = param.test_interval > 0 and self.iter % param.test_interval == 0
            if due and (self.iter > 0 or param.test_initialization):
                yield from self._tests()
                if control.take_snapshot_wish():  # of the net that was tested: the next update changes it
                    yield self._snapshot_event()
                if control.stopping:
                    return
            yield self.iterate()
            wished = control.take_snapshot_wish()
            if wished or (param.snapshot > 0 and self.iter % param.snapshot == 0):
                yield self._snapshot_event()

    # ---- one iteration ----

    def iterate(self) -> Step:
        """One update and nothing else: no test, no snapshot.

        Raises:
            DivergedError: T01, the loss is NaN or infinite; nothing was updated.
        """
        started = time.perf_counter()
        iteration = self.iter
        display = self.param.display > 0 and iteration % self.param.display == 0
        self.net.start_at(iteration * self.param.iter_size)
        loss = self.gradients(self.net, self.param.iter_size)
        rate = self.rate.at(iteration)
        grown = self._magnitudes.see(self.net, loss)
        if not math.isfinite(loss):
            cause = self._magnitudes.grown(self.net)
            raise DivergedError(
                f"loss became {'NaN' if math.isnan(loss) else 'infinite'} at iteration {iteration} (lr {rate:g})"
                + ("" if cause is None else f"; {cause}"),
                hint="lower base_lr in the solver, or check the mean; earlier snapshots are finite",
                fault="T01",
            )
        outputs = _outputs(self.net) if display else ()
        self.update(rate)
        return Step(
            iteration=iteration,
            loss=loss,
            rate=rate,
            seconds=time.perf_counter() - started,
            display=display,
            smoothed_loss=self._smooth(loss),
            outputs=outputs,
            grown=grown,
        )

    def update(self, rate: float) -> None:
        """Turn the gradients in the parameters into one update; `iter` grows by 1."""
        self._update.apply(self.net.learnable, rate, self.iter)
        self.iter += 1

    def _smooth(self, loss: float) -> float:
        self._losses.append(loss)
        return sum(self._losses) / len(self._losses)

    # ---- tests and snapshots ----

    def _tests(self) -> Iterator[Validation]:
        for index, net in enumerate(self.test_nets):
            yield self._test(index, net, self.param.test_iter[index])

    def _test(self, index: int, net: N, batches: int) -> Validation:
        """Means of the outputs over `batches` batches from the first record on: each picture once if they fit."""
        started = time.perf_counter()
        net.start_at(0)
        sums: dict[int, Output] = {}
        recalls = Recalls(net.layers)
        with torch.inference_mode(), self.autocast():
            for _ in range(batches):
                net.run()
                recalls.see(net.blobs)
                for output in _outputs(net):
                    before = sums[output.index].value if output.index in sums else 0.0
                    sums[output.index] = Output(
                        index=output.index,
                        name=output.name,
                        value=before + output.value / batches,
                        loss_weight=output.loss_weight,
                    )
        seconds = time.perf_counter() - started
        return Validation(
            iteration=self.iter,
            net=index,
            outputs=tuple(sums.values()),
            seconds=seconds,
            balanced=recalls.mean,
            only=recalls.only,
        )

    def _snapshot_event(self) -> Snapshot | SnapshotFailed:
        try:
            model, state = self.snapshot()
        except OSError as error:
            return SnapshotFailed(iteration=self.iter, reason=error.strerror or str(error))
        return Snapshot(iteration=self.iter, model=model, state=state)

    def snapshot(self) -> tuple[Path, Path]:
        """Write weights and state under snapshot_prefix; returns their paths."""
        return snapshots.save(
            self.net,
            self.rule.history,
            prefix=Path(self.param.snapshot_prefix),
            gradients=self.param.snapshot_diff,
            folder=self.folder,
            iteration=self.iter,
            current_step=self.rate.current_step,
            hdf5=self.param.snapshot_format == caffe_pb2.SolverParameter.HDF5,
        )

    def restore(self, path: Path) -> None:
        """Resume from a solverstate written by wf or real Caffe.

        Raises:
            ModelError: it is damaged or belongs to another net or solver.
        """
        state = snapshots.load(path, self.net, self.rule.history, folder=self.folder)
        self.iter = state.iteration
        self.rate.current_step = state.current_step


def _outputs(net: Trainable) -> tuple[Output, ...]:
    """Every number of every output of the net, numbered as Caffe's log does."""
    weights = {top: weight for layer in net.layers for top, weight in zip(layer.spec.tops, layer.spec.loss_weights)}  # noqa: B905 - equal by construction
    numbers = [(name, float(value)) for name in net.spec.outputs for value in net.blobs[name].detach().reshape(-1)]
    return tuple(
        Output(index=index, name=name, value=value, loss_weight=weights.get(name, 0.0))
        for index, (name, value) in enumerate(numbers)
    )

"""Run a solver in a worker and report it as a stream of events.

The worker makes one iteration at a time; Caffe itself tests inside it where a test is due. When to snapshot, when to
stop and what ends a run is decided here, by the rules of Caffe's Solver::Step and Solve (src/caffe/solver.cpp).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from workflow.engines.base import Done, Event, Line, Output, Snapshot, SnapshotFailed, Started, Step, Validation
from workflow.engines.bvlc.death import fatal_words
from workflow.engines.bvlc.log import Log, passes_in
from workflow.engines.bvlc.plan import Plan, resumable, start_weights
from workflow.engines.bvlc.process import Reply, Worker
from workflow.engines.bvlc.staging import Staging
from workflow.engines.caffe_log import Writer
from workflow.errors import DatabaseError, DivergedError, EnvironmentFault, ModelError, NetError
from workflow.formats import solverstate
from workflow.formats.prototxt import render


class Run:
    """A training run, executed by `events`.

    Attributes:
        iteration: updates done.
    """

    def __init__(self, plan: Plan, staging: Staging, worker: Worker) -> None:
        self.iteration = 0
        self._plan, self._job, self._param = plan, plan.job, plan.param
        self._staging, self._worker = staging, worker
        self._writer = Writer(
            net=plan.train.name,
            policy=plan.param.lr_policy,
            display=plan.param.display,
            project=plan.job.folder,
            weights=() if plan.job.resume else (*plan.param.weights, *plan.job.weights),
        )
        self._log = Log(render(plan.param), (str(staging.inner_prefix), staging.prefix))
        self._losses: deque[float] = deque(maxlen=max(1, plan.param.average_loss))
        self._multistep = 0
        self._good = -1  # iteration of the newest snapshot
        self._unsaved = False

    def events(self) -> Iterator[Event]:
        """The whole run, from building the solver to Done.

        Raises:
            NetError, ModelError, DatabaseError: Caffe refuses what it was given.
            DivergedError: the loss, or weights that were to be saved, became NaN or infinite.
            EnvironmentFault: the worker died or hung.
        """
        param, control = self._param, self._job.control
        images = yield from self._prepare()
        started = Started(
            iteration=self.iteration, max_iter=param.max_iter, images=images, resumed_from=self._job.resume
        )
        yield from map(_line, self._writer.lines(started))
        yield started
        while self.iteration < param.max_iter and not control.stopping:
            yield from self._step()
            wished = control.take_snapshot_wish()
            if wished or (param.snapshot > 0 and self.iteration % param.snapshot == 0):
                yield from self._snapshot()
        stopped = self.iteration < param.max_iter
        if param.snapshot_after_train and self._worth_saving(stopped, started.iteration):
            yield from self._snapshot()
        yield from self._stopped() if stopped else self._finish()

    # ---- before the first iteration ----

    def _prepare(self) -> Generator[Event, None, int]:
        reply = self._worker.request("open_solver", path=str(self._staging.solver), blame=NetError)
        yield from self._lines(reply)
        batch: int = reply.fields["batch"]
        if (name := reply.fields["untrained"]) is not None:
            raise EnvironmentFault(
                f"layer '{name}' (BatchNorm): this build of Caffe normalises with the stored statistics in training, "
                "so that the net would learn something else",
                hint="--engine torch, or another build of Caffe",
            )
        if self._job.resume is not None:
            yield from self._resume(self._job.resume)
        else:
            for path in start_weights(self._job):
                yield from self._lines(self._worker.request("weights", path=str(path), blame=ModelError))
        return batch * self._param.iter_size

    def _resume(self, state: Path) -> Iterator[Event]:
        path = resumable(state, self._job.folder, self._staging.folder)
        self._multistep = solverstate.read(path).current_step
        reply = self._worker.request("restore", path=str(path), blame=ModelError)
        self.iteration = reply.fields["iteration"]
        self._good = self.iteration
        yield from self._lines(reply)
        for replay in self._plan.replays(self.iteration):
            facts: dict[str, Any] = {"net": replay.net, "layers": replay.layers, "times": replay.times}
            yield from self._lines(self._worker.request("replay", blame=DatabaseError, **facts))

    # ---- one iteration ----

    def _step(self) -> Iterator[Event]:
        k, display = self.iteration, self._param.display
        ask = self._param.lr_policy != "multistep"
        shown = display > 0 and k % display == 0
        reply = self._worker.request("step", rate=ask, outputs=shown, blame=NetError)
        self.iteration += 1
        tests = self._validations(reply, reply.fields["test_seconds"], due=self._plan.tests_before(k))
        losses = reply.fields["losses"]
        step = Step(
            iteration=k,
            loss=sum(losses) / len(losses),
            rate=reply.fields["rate"] if ask else self._multistep_rate(k),
            seconds=reply.fields["seconds"],
            display=shown,
            smoothed_loss=self._smoothed(sum(losses) / len(losses)),
            outputs=_outputs(reply.fields.get("outputs", ())),
        )
        for test in tests:
            self._writer.messages(test)
        messages = self._writer.messages(step)
        yield from self._lines(reply, messages[0][1] if messages else "")
        yield from tests
        self._check_finite(step.loss, k, step.rate)
        yield step

    def _validations(self, reply: Reply, seconds: float, *, due: bool) -> list[Validation]:
        """The test passes in the log; all of them must be there, or Caffe's log is not what we expect."""
        passes = passes_in(reply.lines)
        expected = len(self._plan.tests) if due else 0
        if [net for _, net, _ in passes] != list(range(expected)):
            raise EnvironmentFault(f"caffe's log tells of {len(passes)} test passes, expected {expected}")
        return [
            Validation(iteration=iteration, net=net, outputs=outputs, seconds=seconds / expected)
            for iteration, net, outputs in passes
        ]

    def _multistep_rate(self, iteration: int) -> float:
        """The rate of policy multistep by SGDSolver's rule: asking Caffe would move its position in the steps."""
        steps = self._param.stepvalue
        if self._multistep < len(steps) and iteration >= steps[self._multistep]:
            self._multistep += 1
        return self._param.base_lr * self._param.gamma**self._multistep

    def _smoothed(self, loss: float) -> float:
        self._losses.append(loss)
        return sum(self._losses) / len(self._losses)

    def _check_finite(self, loss: float, iteration: int, rate: float | None = None) -> None:
        if math.isfinite(loss):
            return
        at_rate = "" if rate is None else f" (lr {rate:g})"
        raise DivergedError(
            f"loss became {'NaN' if math.isnan(loss) else 'infinite'} at iteration {iteration}{at_rate}",
            hint=self._advice(),
            fault="T01",
        )

    def _advice(self) -> str:
        last = f"iter_{self._good} is finite" if self._good >= 0 else "there is no snapshot yet"
        return f"{last}; lower base_lr in the solver, or check the mean"

    # ---- snapshots ----

    def _snapshot(self) -> Iterator[Event]:
        reply = self._worker.request("snapshot")
        yield from self._lines(reply)
        try:
            snapshot = self._saved(reply)
        except (OSError, ModelError) as error:
            self._unsaved = True
            # what the system says comes first: Caffe only says that a check failed
            reason = self._staging.obstacle() or getattr(error, "strerror", None) or str(error)
            self._staging.discard(self.iteration)
            yield SnapshotFailed(iteration=self.iteration, reason=reason)
        else:
            self._unsaved = False
            self._good = self.iteration
            yield snapshot

    def _saved(self, reply: Reply) -> Snapshot:
        status = reply.fields["status"]
        if status is None:
            raise TimeoutError("writing it took too long")
        if status != 0:
            raise OSError(fatal_words(reply.lines) or f"caffe's process for it ended with status {status}")
        if not self._staging.finite(self.iteration):
            raise DivergedError(
                f"weights became NaN or infinite by iteration {self.iteration}", hint=self._advice(), fault="T01"
            )
        return self._staging.commit(self.iteration)

    def _worth_saving(self, stopped: bool, start: int) -> bool:
        """Caffe's rule for the last snapshot, and another try for one that failed."""
        if stopped and self.iteration == start:
            return False
        due = self._param.snapshot > 0 and self.iteration % self._param.snapshot == 0
        wished = self._good == self.iteration > start
        return self._unsaved or not (due or wished)

    # ---- after the last iteration ----

    def _stopped(self) -> Iterator[Event]:
        done = Done(iteration=self.iteration, loss=None, stopped=True)
        yield from map(_line, self._writer.lines(done))
        yield done

    def _finish(self) -> Iterator[Event]:
        param = self._param
        reply = self._worker.request("finish", blame=NetError)
        display = param.display > 0 and self.iteration % param.display == 0
        losses = reply.fields["losses"]
        loss = self._smoothed(losses[-1]) if display and losses else None
        done = Done(iteration=self.iteration, loss=loss, display=display)
        messages = self._writer.messages(done)
        yield from self._lines(reply, messages[0][1] if display else "")
        if loss is not None:
            self._check_finite(loss, self.iteration)
        due = param.test_interval > 0 and self.iteration % param.test_interval == 0
        yield from self._validations(reply, reply.fields["seconds"], due=due)
        if self._job.test_at_end and param.test_interval > 0 and not due:
            yield from self._tested()
        yield done

    def _tested(self) -> Iterator[Event]:
        """A test pass that is not in the solver's schedule; its log lines are written by wf."""
        reply = self._worker.request("test", passes=list(self._param.test_iter), blame=NetError)
        yield from self._lines(reply)
        tests = reply.fields["tests"]
        for net, told in enumerate(tests):
            seconds = reply.fields["seconds"] / len(tests)
            test = Validation(iteration=self.iteration, net=net, outputs=_outputs(told), seconds=seconds)
            yield from map(_line, self._writer.lines(test))
            yield test

    def _lines(self, reply: Reply, loss: str = "") -> Iterator[Line]:
        return map(_line, self._log.lines(reply.lines, loss))


def _line(text: str) -> Line:
    return Line(text=text)


def _outputs(told: Sequence[tuple[str, float, Sequence[float]]]) -> tuple[Output, ...]:
    """[name, loss weight, values] of each output -> one record a number, numbered as Caffe's log does."""
    numbers = [(name, weight, value) for name, weight, values in told for value in values]
    return tuple(
        Output(index=index, name=name, value=value, loss_weight=weight)
        for index, (name, weight, value) in enumerate(numbers)
    )

"""Watch the test passes of a run: a snapshot of each one that is the best so far, and an end once none gets better."""

from __future__ import annotations

from pathlib import Path

from workflow.engines.base import Control, Done, Event, Snapshot, Validation
from workflow.generations.record import merit
from workflow.report.curves import read_metrics
from workflow.training.outputs import accuracy_of, loss_of


class Keeper(Control):
    """The control of one run: requests of `outer`, and those that follow from its test passes.

    A pass is better as `Record.best` has it: a higher accuracy, or the same and a lower loss. The loss alone would end
    a run too early: it grows while the accuracy still does, since the net gets surer of its remaining mistakes.

    Args:
        outer: the user's requests.
        patience: test passes in a row without a better one after which the run ends; None lets it go on.
        snapshots: whether to ask for a snapshot of each best pass. Only where an engine looks for the wish between the
            pass and the next update; real Caffe has both in one step.
    """

    def __init__(self, outer: Control, *, patience: int | None, snapshots: bool) -> None:
        super().__init__()
        self._outer, self._patience, self._keeps = outer, patience, snapshots
        self._best = merit(None, None)
        self._waited = self._seen = 0
        self._snapshotted: int | None = None
        self.ended_it = False
        """Whether the run ended for want of a better pass, and not at max_iter or by the user's wish."""

    @property
    def stopping(self) -> bool:
        """Whether this run is to stop."""
        return super().stopping or self._outer.stopping

    def take_snapshot_wish(self) -> bool:
        """Whether a snapshot was requested since the last call."""
        own = super().take_snapshot_wish()
        return self._outer.take_snapshot_wish() or own

    @property
    def lost_patience(self) -> int | None:
        """How many passes were no better, where these are too many; else None."""
        return self._waited if self._patience is not None and self._waited >= self._patience else None

    def recall(self, metrics: Path, iteration: int) -> None:
        """Read the passes of a run that is resumed at `iteration`, from its metrics.jsonl."""
        if not iteration or not metrics.is_file():
            return
        found = read_metrics(metrics)
        losses = dict(found.test_loss)
        for at, accuracy in found.accuracy:
            if at <= iteration:
                self._judge(at, accuracy, losses.get(at))
        self._snapshotted = iteration

    def see(self, event: Event) -> None:
        """Process an event, before the engine continues."""
        match event:
            case Snapshot():
                self._snapshotted = event.iteration
            case Done():
                self.ended_it = event.stopped and self.lost_patience is not None and not self._outer.stopping
            case Validation(net=0):
                better = self._judge(event.iteration, accuracy_of(event.outputs), loss_of(event.outputs))
                if better and self._keeps and self._snapshotted != event.iteration:
                    self.snapshot()
                if self.lost_patience:
                    self.stop()
            case _:
                pass

    def _judge(self, iteration: int, accuracy: float | None, loss: float | None) -> bool:
        if iteration <= self._seen:  # of the untrained net, or seen before the run was stopped
            return False
        self._seen = iteration
        found = merit(accuracy, loss)
        better = found > self._best
        self._best, self._waited = (found, 0) if better else (self._best, self._waited + 1)
        return better

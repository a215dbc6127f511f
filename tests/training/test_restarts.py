"""Workers that die while they train: all begin again, and the snapshots are those of an unbroken run."""

from __future__ import annotations

import os
import resource
import signal
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from overriding import over
from small_net import edit

from workflow.engines.base import Control, Event, Snapshot, Started, Step, TrainerDied
from workflow.errors import EnvironmentFault
from workflow.training import train
from workflow.training.restarts import restarted
from workflow.training.wishes import Wishes


def trainers() -> list[int]:
    """Processes that this one has started, in order."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in children if b"trainer" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def snapshots(generation) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in generation.snapshots.iterdir()}


def test_a_worker_that_is_killed_leaves_no_trace(settings, generation, caplog):
    """Three micro-batches of 8 rows: one process; two, of which one is killed, and which are stopped; and one again."""
    one, two = over(settings, train__micro=3), over(settings, train__workers=2, train__micro=3)
    for _ in train(one):
        pass
    unbroken = snapshots(generation)
    begun: list[int] = []
    control = Control()
    for event in train(two, fresh=True, control=control):
        if isinstance(event, Started):
            begun.append(event.iteration)
        if isinstance(event, Step) and event.iteration == 13 and len(begun) == 1:
            os.kill(trainers()[1], signal.SIGKILL)
        elif isinstance(event, Step) and event.iteration == 13:
            control.stop()
    assert begun == [0, 10]
    assert "trainer 1 ended with SIGKILL at iteration 13; all begin again from iter_10" in caplog.text
    assert not trainers()
    record = generation.read()
    assert [one.iteration for one in record.snapshots] == [10, 15]  # during an iteration, the wish is for the next
    asked = ("workers", "batch", "micro", "threads")
    assert [getattr(record.training, name) for name in asked] == [2, "split", 3, 1]
    for _ in train(settings):
        pass
    assert generation.read().training.micro == 3
    found = snapshots(generation)
    assert {name: found[name] for name in unbroken} == unbroken


def dying(deaths: int, *, snapshot_at: int = 0) -> Callable[[Wishes], Iterator[Event]]:
    """A run that dies so many times, the second time after a snapshot."""
    tries = iter(range(deaths))

    def run(wishes: Wishes) -> Iterator[Event]:
        yield Started(iteration=snapshot_at if wishes.resume else 0, max_iter=9, images=1)
        try:
            number = next(tries)
        except StopIteration:
            return
        if snapshot_at and number == 1:
            yield Snapshot(iteration=snapshot_at, model=Path("m"), state=Path("s"))
        raise TrainerDied("trainer 1 ended with SIGKILL")

    return run


def test_t25_deaths_without_a_new_snapshot_end_the_run():
    assert len(list(restarted(dying(4), Wishes()))) == 5
    with pytest.raises(EnvironmentFault, match="SIGKILL at iteration 0; 5 deaths since the last snapshot") as found:
        list(restarted(dying(5), Wishes()))
    assert found.value.fault == "T25"
    assert "wf train goes on from the start" in found.value.hint
    assert len(list(restarted(dying(5, snapshot_at=3), Wishes()))) == 7


def test_a_run_that_begins_again_takes_its_own_last_snapshot():
    wishes = Wishes(fresh=True, weights=("a.caffemodel",), command=("wf", "train"))
    events = [event for event in restarted(dying(2, snapshot_at=3), wishes) if isinstance(event, Started)]
    assert [event.iteration for event in events] == [0, 0, 3]


def test_a_death_after_the_wish_to_stop_ends_the_run():
    control = Control()
    control.stop()
    with pytest.raises(EnvironmentFault, match="1 death since"):
        list(restarted(dying(1), Wishes(control=control)))


def test_t08_a_snapshot_that_rank_0_cannot_write(settings, generation, caplog):
    """As on a full disk: the process may not write files as large."""
    for _ in train(over(settings, train__workers=2), max_iter=5):
        pass
    size = next(generation.snapshots.glob("*.caffemodel")).stat().st_size
    edit(Path("prototxt/small_solver.prototxt"), "snapshot: 10", "snapshot: 2")
    run = train(over(settings, train__workers=2))
    while not isinstance(next(run), Started):
        pass
    resource.prlimit(trainers()[0], resource.RLIMIT_FSIZE, (size - 1, size - 1))
    with pytest.raises(EnvironmentFault, match=r"File too large \(3 times in a row\)") as caught:
        deque(run, maxlen=0)
    assert caught.value.hint.startswith("iter_5 is safe")
    assert caplog.text.count("training continues") == 2
    assert [one.iteration for one in generation.read().snapshots] == [5]
    assert not trainers()

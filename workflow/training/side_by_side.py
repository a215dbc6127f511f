"""Train several runs at once, each in a process of its own with one thread.

Two trainings of one thread each get further in a minute than one with two threads, whose threads wait for each other.
A run gives the same bytes as alone with as many threads.
"""

from __future__ import annotations

import itertools
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct, structs

from workflow import cores
from workflow.cluster.crew import Workers
from workflow.cluster.here import Here
from workflow.cluster.parts import Part, cut, fixed
from workflow.cluster.result_file import read_result, write_result
from workflow.cluster.work import Task, Work, work
from workflow.config import Config, typed, untyped
from workflow.engines.base import Control, Done, Event, Note, Validation
from workflow.formats.prototxt import read_solver
from workflow.generations import Generation
from workflow.training.run import train_held
from workflow.training.wishes import Wishes
from workflow.words import counted

_log = logging.getLogger("workflow")

_WORTH = 10.0  # seconds of a training: a shorter one is over before a process has loaded PyTorch and done the same
_LOOK = 0.2  # seconds between two looks for a wish to stop
_STOP = "stop"


class Run(Struct, frozen=True, kw_only=True):
    """One of several trainings: a rerun or a fold, which has a record already."""

    name: str
    """`seed 7, run 3 of 8`."""
    number: int
    folder: str
    seed: int | None = None
    """Seed of a rerun."""
    fresh: bool = False
    weights: tuple[str, ...] = ()

    @classmethod
    def of(cls, one: Generation, name: str, wishes: Wishes) -> Run:
        """The run that `train_held` would do."""
        folder, seed = str(one.folder), one.seed
        return cls(name=name, number=one.number, folder=folder, seed=seed, fresh=wishes.fresh, weights=wishes.weights)

    def generation(self, project: Path) -> Generation:
        """Where it is trained."""
        return Generation(self.number, Path(self.folder), self.seed, project)


@work("training.side_by_side")
class Trainings(Work, frozen=True, kw_only=True):
    """Each item is one run; the result holds its messages. Trained files are in the generation's folder."""

    config: dict[str, Any]
    """See `config.untyped`."""
    threads: int
    folder: str
    """Folder of the results: a file `stop` in it stops all runs, each with a snapshot."""

    def begin(self) -> Task:
        """Nothing is loaded before the engine is."""
        config = typed(self.config, Config)

        def train(part: Part, out: BinaryIO) -> None:
            for item in part.items:
                write_result(out, self._trained(config, msgspec.json.decode(item, type=Run)), {})

        return train

    def _trained(self, config: Config, run: Run) -> dict[str, Any]:
        one = run.generation(config.project)
        record = one.read()
        threads = (record.training.threads if record.snapshots and not run.fresh else None) or self.threads
        begun = Path(self.folder) / f"begun-{run.seed or Path(run.folder).name}"
        fresh = run.fresh and not begun.exists()  # a process that took its place goes on with what it had
        begun.touch()
        said: list[str] = []
        facts: dict[str, Any] = {"said": said, "accuracy": None, "iteration": 0, "stopped": False}
        control = Control()
        with _watching((Path(self.folder) / _STOP).exists, control.stop), _heard(said):
            wishes = Wishes(fresh=fresh, weights=run.weights, control=control, one_of_several=True)
            settings = structs.replace(config, train=structs.replace(config.train, threads=threads))
            for event in train_held(settings, one, wishes):
                match event:
                    case Validation():
                        facts["accuracy"] = event.value("accuracy")
                    case Note():
                        said.append(event.text)
                    case Done():
                        facts |= {"iteration": event.iteration, "stopped": event.stopped}
        return facts


def workers(config: Config, trained: Generation, runs: int) -> int:
    """How many trainings are worth doing at once: 1 says one after the other.

    Args:
        config: the settings; runs with several threads each share the cores, real Caffe and a GPU are not shared.
        trained: a run that is done, as long as the others will be.
        runs: how many there are.
    """
    settings = config.train
    each = trained.read().training.seconds_per_iteration
    if settings.engine != "torch" or settings.device == "cuda" or each is None:
        return 1
    solver = read_solver(trained.prototxt("solver"))
    if each * solver.max_iter < _WORTH:
        return 1
    from workflow.engines.torch_cpu.device import resolve  # PyTorch, which has trained it

    if resolve(settings.device, solver).type != "cpu":
        return 1
    return min(runs, cores.available() // (settings.threads or 1))


def train_together(
    config: Config, count: int, begin: Callable[[int], Run], size: int, control: Control
) -> Iterator[Event]:
    """Train runs of a generation that this process holds, `size` at a time; none begins after a wish to stop.

    Args:
        config: the settings.
        count: how many runs there are.
        begin: gives run number 0 .. `count` - 1 when its turn has come; it then has a record.
        size: how many are trained at once.
        control: hands on a wish to stop; each run then ends with a snapshot.

    Yields:
        A Note at the beginning, and one for each run that ends.

    Raises:
        UsageError, DataError, EnvironmentFault, DivergedError: as `train`; the other runs can be resumed.
    """
    threads = config.train.threads or 1
    yield Note(text=f"{count} trainings, {size} at a time with {counted(threads, 'thread')} each")
    with (
        tempfile.TemporaryDirectory(prefix="wf-train-") as name,
        _watching(lambda: control.stopping, (Path(name) / _STOP).touch),
    ):
        trainings = Trainings(config=untyped(config), threads=threads, folder=name)
        runs: dict[int, Run] = {}

        def items(start: int, stop: int) -> list[bytes]:
            runs.update((place, begin(place)) for place in range(start, stop))
            return [msgspec.json.encode(runs[place]) for place in range(start, stop)]

        parts = cut(itertools.takewhile(lambda _: not control.stopping, fixed(count, 1)), items)
        for receipt in Here(Workers(size, processes=True)).map(trainings, parts, Path(name)):
            facts, _ = read_result(receipt.path)
            run = runs[receipt.start]
            for text in facts["said"]:
                _log.warning("%s: %s", run.name, text)
            accuracy = "" if facts["accuracy"] is None else f", accuracy {facts['accuracy']:.4f}"
            word = "stopped at" if facts["stopped"] else "done:"
            yield Note(text=f"{run.name} {word} iteration {facts['iteration']:,}{accuracy}")


@contextmanager
def _watching(wished: Callable[[], bool], stop: Callable[[], object]) -> Iterator[None]:
    """While the block runs, look in a thread whether a stop is wished, and call `stop` once it is."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK):
            if wished():
                stop()
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _heard(texts: list[str]) -> Iterator[None]:
    """Keep the warnings that the library logs."""
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: texts.append(record.getMessage())  # type: ignore[method-assign]
    _log.addHandler(handler)
    try:
        yield
    finally:
        _log.removeHandler(handler)

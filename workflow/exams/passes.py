"""Show all pictures of an exam to a net: the one way that predict, evaluate, junk, next and features take.

Many picture files are shared among processes, each of which decodes and judges with one thread. Fewer are judged here,
while others may decode. The pictures that go through the net at once are the same ones either way.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from workflow import cores, engines
from workflow.cluster.choice import afar
from workflow.config import Cluster
from workflow.exams.exam import Exam
from workflow.exams.files import Files
from workflow.exams.novelty import Novelty, reduced
from workflow.exams.picture import BATCH, PART, Picture
from workflow.models.model import Model

if TYPE_CHECKING:
    from workflow.cluster.receipt import Receipt
    from workflow.exams.activity import Activity

_EACH = {"numpy": 1_000, "torch": 2_000}
"""Files that are worth a process, which has to load the engine first."""
_LOADED = 8_000
"""The same where this process has loaded PyTorch already."""


class Pass(NamedTuple):
    """Some pictures, and what the net made of them."""

    pictures: list[Picture]
    blobs: Mapping[str, NDArray[Any]]
    """Name -> float32 (N, ...), and `novelty.DISTANCE` -> float64 (N,)."""


def passes(
    model: Model,
    exam: Exam,
    blobs: Collection[str],
    *,
    rule: Novelty | None = None,
    engine: str | None = None,
    ignore: Sequence[str] = (),
    activity: Activity | None = None,
) -> Generator[Pass]:
    """The blobs of all pictures that can be read, in the order of the exam; the others are then in `exam.skipped`.

    Args:
        model: the snapshot.
        exam: the pictures.
        blobs: their names; one that the net does not have is left out.
        rule: measures the distances, which are then beside the blobs under the name `novelty.DISTANCE`.
        engine: the engine's name; None takes the fastest for the job.
        ignore: layers whose weights are not copied.
        activity: sees all blobs of the first pictures.

    Raises:
        NetError, ModelError, EngineMissing: as `Model.open`.
        DataError, DatabaseError: as `Exam.batches`.
    """
    name = "torch" if ignore and engine is None else engines.chosen(model.net, engine, images=exam.count)
    # real Caffe has a process of its own, with as many threads as there are cores
    each = _LOADED if name == "torch" and "torch" in sys.modules else _EACH.get(name)
    workers = 1 if each is None else min(cores.available(), exam.count // each)
    many = workers > 1 or (name in _EACH and afar(model.cluster, exam.count))
    if isinstance(exam, Files) and many and activity is None:
        yield from _shared(model, exam, blobs, rule, name, ignore, workers)
        return
    wanted = {*blobs, *(rule.blobs if rule else ())}
    with model.open(name, images=exam.count, ignore=ignore) as session:
        for pictures, pixels in exam.batches(model, BATCH):
            watching = activity is not None and activity.wanted
            computed = model.forward(session, pixels, None if watching else wanted)
            if activity is not None and watching:
                activity.see(computed)
            yield Pass(pictures, reduced(computed, blobs, rule))


def _shared(
    model: Model,
    exam: Files,
    blobs: Collection[str],
    rule: Novelty | None,
    engine: str,
    ignore: Sequence[str],
    workers: int,
) -> Generator[Pass]:
    from workflow.cluster.choice import crew, results
    from workflow.cluster.crew import Workers
    from workflow.cluster.parts import cut, fixed
    from workflow.cluster.receipt import in_order
    from workflow.exams.fingerprint import of_parts
    from workflow.exams.showing import Showing

    exam.skipped.clear()
    here = not afar(model.cluster, exam.count)
    cluster = Cluster() if here else model.cluster
    size = PART if here else cluster.part
    with results(cluster, model.project, lambda: of_parts(model, exam, blobs, rule, engine, ignore, size)) as folder:
        work = Showing.of(model, blobs, rule, engine, ignore, folder)
        parts = cut(fixed(exam.count, size), exam.items)
        for receipt in in_order(crew(cluster, Workers(workers, processes=True)).map(work, parts, folder)):
            yield from shown(exam, receipt)
            if here:  # else a run that is interrupted would do them again
                receipt.path.unlink()
    exam.end()


def shown(exam: Files, receipt: Receipt) -> Iterator[Pass]:
    """The pass that the result of a part of an exam holds; none if none of its files is a picture."""
    from workflow.cluster.result_file import read_result
    from workflow.data.decoding import Refusal

    refusals, arrays = read_result(receipt.path)
    digests = arrays.pop("digests")
    pictures, kept = exam.sorted_out(receipt.start, receipt.stop, [Refusal(*one) for one in refusals], digests)
    if pictures:
        yield Pass(pictures, {blob: rows[kept] for blob, rows in arrays.items()})

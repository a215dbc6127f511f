"""The `caffe` engine: real BVLC Caffe 1.0 in a separate process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from workflow.engines.base import Event, Job
from workflow.engines.bvlc import python
from workflow.engines.bvlc.plan import plan
from workflow.engines.bvlc.process import START_SECONDS, Worker
from workflow.engines.bvlc.session import Session
from workflow.engines.bvlc.staging import Staging
from workflow.engines.bvlc.training import Run
from workflow.engines.status import Status
from workflow.errors import EngineMissing, EnvironmentFault, UsageError, WorkflowError
from workflow.formats import caffe_pb2


class Engine:
    """Runs nets and solvers in real Caffe; see `workflow.engines.base.Engine`.

    It is the reference for the other engines, and runs layers that they do not know. Of what Caffe does
    nothing is changed but this: snapshots appear whole or not at all, a loss that is NaN ends the run, and a resumed
    run continues with the record (and the random numbers, where random_seed is set) that it would have had.
    """

    name = "caffe"

    def status(self) -> Status:
        """Starts Caffe once to see whether it works; never raises."""
        try:
            with start(Path()) as worker:
                facts = worker.request("hello", timeout=START_SECONDS).fields
        except (WorkflowError, OSError) as error:
            hint = getattr(error, "hint", None) or python.HINT
            return Status(name=self.name, ready=False, version="", trains=True, hint=hint)
        version = f"BVLC Caffe {facts['caffe']} ({facts['package']}, Python {facts['python']})"
        return Status(name=self.name, ready=True, version=version, trains=True)

    def open(
        self,
        net: caffe_pb2.NetParameter,
        weights: caffe_pb2.NetParameter | None,
        *,
        source: Path | None = None,
        ignore: Sequence[str] = (),
        folder: Path = Path(),
    ) -> Session:
        """A session in TEST phase; paths in the net are relative to `folder`.

        Args:
            net: the net, upgraded.
            weights: copied by layer name; layers without weights keep what their fillers gave.
            source: the net's file, for messages.
            ignore: layers whose weights are not copied.
            folder: where Caffe runs, the project folder.

        Raises:
            NetError: Caffe cannot build the net; in its words.
            ModelError: weights do not fit.
            EngineMissing: Caffe is not installed.
        """
        if weights is not None and ignore:
            kept = [layer for layer in weights.layer if layer.name not in ignore]
            weights = caffe_pb2.NetParameter(name=weights.name, layer=kept)
        return Session(start(folder), net, weights, source)

    def train(self, job: Job) -> Iterator[Event]:
        """Run the solver to its end, or until `job.control` asks to stop; closing the iterator ends Caffe at once.

        Raises:
            UsageError: a precision other than float32, or both `resume` and `weights`.
            WorkflowError: as `Run.events` says.
        """
        if job.precision != "float32":
            raise UsageError(f"the caffe engine computes in float32, not {job.precision}", hint="--engine torch")
        if job.resume is not None and job.weights:
            raise UsageError("a run resumes from a solverstate or starts from weights, not both")
        threads = job.threads or 1
        python.find(job.folder)  # before anything is read or written
        planned = plan(job)
        with Staging(job, planned.param) as staging, start(job.folder, threads) as worker:
            yield from Run(planned, staging, worker).events()


def start(folder: Path, threads: int = 1) -> Worker:
    """A worker whose Caffe is imported and answers.

    Raises:
        EngineMissing: there is no Caffe, or its Python cannot import it.
    """
    worker = Worker(python.find(folder), folder=folder, threads=threads)
    try:
        worker.request("hello", blame=EngineMissing, timeout=START_SECONDS)
    except EnvironmentFault as error:
        worker.close()
        raise EngineMissing(f"real Caffe does not start: {error.message}", hint=python.HINT) from error
    except BaseException:
        worker.close()
        raise
    return worker

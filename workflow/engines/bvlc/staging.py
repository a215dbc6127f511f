"""A temporary folder where Caffe writes its snapshots until they are complete."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from workflow.engines.base import Job, Snapshot
from workflow.errors import EnvironmentFault
from workflow.formats import caffe_pb2, caffemodel, solverstate
from workflow.formats.prototxt import render
from workflow.storage import sync_folder, temporary_name


class Staging:
    """A folder `NAME.tmp-PID` beside the snapshots, with the solver that Caffe runs; gone at the end of the block.

    That solver differs from the user's in what it says of snapshots: they are asked for from here and written in the
    folder, then renamed to their final names, so that a reader never sees half of one.

    Attributes:
        prefix: final snapshot prefix, as Caffe understands the solver's, relative to the project folder.
        solver: the file that Caffe runs.
    """

    def __init__(self, job: Job, param: caffe_pb2.SolverParameter) -> None:
        self._root = job.folder.absolute()
        self._ending = ".h5" if param.snapshot_format == caffe_pb2.SolverParameter.HDF5 else ""
        self.prefix = _prefix(job, param)
        final = self._root / self.prefix
        self.folder = temporary_name(final)
        self.inner_prefix = self.folder / final.name
        self.solver = self.folder / "solver.prototxt"
        self._param = caffe_pb2.SolverParameter()
        self._param.CopyFrom(param)
        self._param.snapshot_prefix = str(self.inner_prefix)
        self._param.snapshot_after_train = False
        self._param.ClearField("snapshot")

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True)
            self.solver.write_text(render(self._param), encoding="utf-8")
        except OSError as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise EnvironmentFault(
                f"cannot write to {self.folder.parent}: {error.strerror}", hint="snapshots go there", fault="T09"
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def finite(self, iteration: int) -> bool:
        """Whether the staged weights hold only numbers.

        Raises:
            ModelError: they are cut, as on a full disk that Caffe did not notice.
        """
        return not caffemodel.nonfinite(caffemodel.read(self._staged("caffemodel", iteration)))

    def commit(self, iteration: int) -> Snapshot:
        """Make a staged snapshot durable under its final names; the state then names the final weights.

        Raises:
            ModelError: a staged file is cut.
            OSError: as the operating system says it.
        """
        model, state = (self._staged(kind, iteration) for kind in ("caffemodel", "solverstate"))
        final = Path(f"{self.prefix}_iter_{iteration}.caffemodel{self._ending}")
        content = replace(solverstate.read(state), learned_net=final.as_posix())
        (solverstate.write_hdf5 if self._ending else solverstate.write)(state, content)
        with model.open("rb+") as file:
            os.fsync(file.fileno())
        result = Snapshot(
            iteration=iteration,
            model=self._root / final,
            state=self._root / f"{self.prefix}_iter_{iteration}.solverstate{self._ending}",
        )
        model.replace(result.model)  # the weights first: a state must find what it names
        state.replace(result.state)
        sync_folder(result.model.parent)
        return result

    def discard(self, iteration: int) -> None:
        """Remove the staged files of a snapshot."""
        for kind in ("caffemodel", "solverstate"):
            self._staged(kind, iteration).unlink(missing_ok=True)

    def obstacle(self) -> str:
        """The operating system's error for a write here, "" if it succeeds."""
        probe = self.folder / "probe"
        try:
            with probe.open("wb") as file:
                file.write(bytes(1 << 20))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return error.strerror or str(error)
        finally:
            probe.unlink(missing_ok=True)
        return ""

    def _staged(self, kind: str, iteration: int) -> Path:
        return Path(f"{self.inner_prefix}_iter_{iteration}.{kind}{self._ending}")


def _prefix(job: Job, param: caffe_pb2.SolverParameter) -> str:
    """Unset is the solver's path without its ending; a folder gets the solver's name (Caffe's upgrade_proto.cpp)."""
    if not param.HasField("snapshot_prefix"):
        unset = job.solver.absolute().with_suffix("")
        root = job.folder.absolute()
        return str(unset.relative_to(root) if unset.is_relative_to(root) else unset)
    if (job.folder / param.snapshot_prefix).is_dir():
        return str(Path(param.snapshot_prefix) / job.solver.stem)
    return param.snapshot_prefix

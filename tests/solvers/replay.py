"""Our solvers and a run of real Caffe's: each from the other's states, and how far apart they get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from solvers.runs import CASES, MIDDLE, STEPS, Run, blobs, ending, go_on, prepare

from workflow.engines.torch_cpu import Solver
from workflow.formats import solverstate
from workflow.formats.prototxt import read_solver

FURTHER = 5
"""Updates that real Caffe makes after it took over."""
_END = MIDDLE + FURTHER


def single_steps(name: str, run: Run, folder: Path) -> float:
    """The worst difference of one update, over 20 that each begin where Caffe stood.

    Args:
        name: one of CASES.
        run: Caffe's.
        folder: to be made.
    """
    worst = 0.0
    with opened(prepare(folder, CASES[name])) as solver:
        for k in range(STEPS):
            put_back(solver, run, k)
            solver.iterate()
            worst = max(worst, *differences(solver, run, k + 1).values())
    return worst


def resumed(name: str, run: Run, folder: Path) -> float:
    """The worst difference after we read Caffe's own files of iteration 10 and made ten updates; as `single_steps`.

    Raises:
        AssertionError: what was read is not exactly what Caffe had.
    """
    prepare(folder, CASES[name])
    for key, kind in (("model", "caffemodel"), ("state", "solverstate")):
        (folder / f"caffe_iter_{MIDDLE}.{kind}{ending(name)}").write_bytes(run[key].tobytes())
    with opened(folder) as solver:
        solver.restore(folder / f"caffe_iter_{MIDDLE}.solverstate{ending(name)}")
        assert solver.iter == MIDDLE
        assert not any(differences(solver, run, MIDDLE).values())
        solver.step(STEPS - MIDDLE)
        return max(differences(solver, run, STEPS).values())


def taken_over(runs: Mapping[str, Run], folder: Path) -> dict[str, float]:
    """The worst differences between our updates 11 to 15 and those that real Caffe makes out of our files of 10.

    Args:
        runs: of which only the first parameters are taken.
        folder: an empty one.
    """
    states: dict[str, str] = {}
    ours: dict[str, dict[str, NDArray[np.generic]]] = {}
    for name, run in runs.items():
        with opened(prepare(folder / name, CASES[name])) as solver:
            put_back(solver, run, 0)
            solver.step(MIDDLE)
            states[name] = solver.snapshot()[1].name
            solver.step(FURTHER)
            ours[name] = {key: tensor.detach().numpy().copy() for key, tensor in _tensors(solver, _END).items()}
            ours[name] |= {"current_step": np.array(solver.rate.current_step)}
    go_on(folder, FURTHER, **states)
    return {name: _from_files(mine, folder / name / f"caffe_iter_{_END}", ending(name)) for name, mine in ours.items()}


def _from_files(ours: Run, path: Path, ending: str) -> float:
    """The worst difference between our tensors and a snapshot's."""
    state = solverstate.read(path.with_name(f"{path.name}.solverstate{ending}"))
    assert state.current_step == ours["current_step"]
    theirs = blobs(path.with_name(f"{path.name}.caffemodel{ending}"), f"blob/{_END}")
    theirs |= {f"history/{_END}/{index}": blob for index, blob in enumerate(state.history)}
    return max(_relative(ours[key], array) for key, array in theirs.items() if key in ours)


@contextmanager
def opened(folder: Path) -> Iterator[Solver]:
    """The solver of a prepared folder; it snapshots only when asked to."""
    param = read_solver(folder / "solver.prototxt")
    param.snapshot = 0
    param.snapshot_prefix = "ours"
    solver = Solver(param, folder=folder)
    try:
        yield solver
    finally:
        solver.close()


@torch.no_grad()
def put_back(solver: Solver, run: Run, k: int) -> None:
    """Parameters, history and counters as they were after `k` updates."""
    solver.iter = k
    solver.rate.current_step = int(run[f"current_step/{k}"])
    for one in solver.net.learnable:
        one.tensor.copy_(torch.from_numpy(run[f"blob/{k}/{one.layer}/{one.index}"]))
    for index, blob in enumerate(solver.rule.history):
        blob.copy_(torch.from_numpy(run[f"history/{k}/{index}"]).view(blob.shape))


def differences(solver: Solver, run: Run, k: int) -> dict[str, float]:
    """Each parameter and each history blob -> length of its difference from the run's over the run's own length."""
    return {key: _relative(tensor.detach().numpy(), run[key]) for key, tensor in _tensors(solver, k).items()}


def _tensors(solver: Solver, k: int) -> dict[str, torch.Tensor]:
    """Parameters and history under the keys of a run's iteration `k`."""
    tensors = {f"blob/{k}/{one.layer}/{one.index}": one.tensor for one in solver.net.learnable}
    return tensors | {f"history/{k}/{index}": blob for index, blob in enumerate(solver.rule.history)}


def _relative(ours: NDArray[np.generic], theirs: NDArray[np.generic]) -> float:
    length = float(np.linalg.norm(theirs))
    difference = float(np.linalg.norm(ours - theirs.reshape(ours.shape)))
    return difference / length if length else difference

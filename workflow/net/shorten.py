"""The same schedule of training in fewer iterations."""

from __future__ import annotations

from workflow.formats import caffe_pb2


def shortened(solver: caffe_pb2.SolverParameter, iterations: int) -> caffe_pb2.SolverParameter:
    """A copy of the solver that ends after `iterations` and goes through the same learning rates on the way.

    What counts iterations is shortened in proportion: stepsize, each stepvalue, test_interval, snapshot, display, at
    least 1 each, and snapshots that are tested still are; the gamma of the policies exp, inv and sigmoid is changed so
    that the rate falls as far as before (poly follows max_iter by itself).
    Source of the policies: src/caffe/solvers/sgd_solver.cpp, GetLearningRate.

    Args:
        solver: trains to max_iter.
        iterations: >= 1. A solver that ends no later comes back as it is.
    """
    result = caffe_pb2.SolverParameter()
    result.CopyFrom(solver)
    if solver.max_iter <= iterations:
        return result
    share = iterations / solver.max_iter
    result.max_iter = iterations
    for name in ("stepsize", "test_interval", "snapshot", "display"):
        if getattr(solver, name) > 0:
            setattr(result, name, _part(getattr(solver, name), share))
    if 0 < solver.test_interval <= solver.snapshot and solver.snapshot % solver.test_interval == 0:
        # still of an iteration that is tested: no other snapshot can be the best
        result.snapshot = result.test_interval * (solver.snapshot // solver.test_interval)
    result.stepvalue[:] = [_part(value, share) for value in solver.stepvalue]
    match solver.lr_policy:
        case "exp":
            result.gamma = solver.gamma ** (1 / share)
        case "inv" | "sigmoid":
            result.gamma = solver.gamma / share
    return result


def _part(count: int, share: float) -> int:
    return max(1, round(count * share))

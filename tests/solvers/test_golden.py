"""The six solvers against what real Caffe's did once, update by update: tests/golden/solvers/record.py."""

from __future__ import annotations

import pytest
from solvers.replay import opened, put_back, resumed, single_steps
from solvers.runs import CASES, GOLDEN, prepare, read, solver_text

from workflow.formats.prototxt import read_solver
from workflow.solvers import rule_types

CLOSE = 1e-5


def test_each_type_is_there_plain_and_with_all_that_bends_a_gradient():
    assert {path.stem for path in GOLDEN.glob("*.npz")} == set(CASES)
    assert sorted(CASES) == sorted(name for kind in rule_types() for name in (kind.lower(), f"{kind.lower()}_clipped"))
    assert sum(path.stat().st_size for path in GOLDEN.glob("*.npz")) < 150_000


@pytest.mark.parametrize("name", CASES)
def test_twenty_single_steps_each_from_caffes_own_state(name, tmp_path):
    run, origin = read(GOLDEN / f"{name}.npz")
    assert origin["by"].startswith("real Caffe")
    assert str(run["solver"]) == solver_text(CASES[name])
    assert single_steps(name, run, tmp_path / name) <= CLOSE


@pytest.mark.parametrize("name", CASES)
def test_caffes_own_files_are_gone_on_with(name, tmp_path):
    """Its caffemodel and solverstate of iteration 10, binary or HDF5; then ten updates without its help."""
    run, _ = read(GOLDEN / f"{name}.npz")
    assert resumed(name, run, tmp_path / name) <= CLOSE


def test_the_frozen_layer_does_not_move_and_the_shared_weight_is_one(tmp_path):
    run, _ = read(GOLDEN / "adam.npz")
    with opened(prepare(tmp_path / "adam", CASES["adam"])) as solver:
        put_back(solver, run, 0)
        frozen, left, right = (solver.net.params[name][0] for name in ("frozen", "left", "right"))
        before = frozen.clone()
        solver.step(3)
        assert (frozen == before).all()
        assert left.data_ptr() == right.data_ptr()
        assert len(solver.rule.history) == 2 * len(solver.net.learnable) == 12


def test_every_policy_and_every_turn_of_a_gradient_occurs(tmp_path):
    params = [read_solver(prepare(tmp_path / name, CASES[name]) / "solver.prototxt") for name in CASES]
    assert {param.lr_policy for param in params} == {"fixed", "step", "multistep", "exp", "inv", "poly", "sigmoid"}
    assert {param.regularization_type for param in params} == {"L1", "L2"}
    assert {param.snapshot_format for param in params} == {0, 1}
    assert {param.iter_size for param in params} == {1, 2, 3}

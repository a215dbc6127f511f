"""The six solvers and real Caffe take over from each other, in files."""

from __future__ import annotations

import numpy as np
import pytest
from solvers.replay import resumed, single_steps, taken_over
from solvers.runs import CASES, GOLDEN, STEPS, read, record

CLOSE = 1e-5


@pytest.fixture(scope="module")
def today(tmp_path_factory):
    """Every case run by real Caffe now."""
    return record(tmp_path_factory.mktemp("caffe"))


@pytest.mark.caffe
def test_caffe_goes_on_with_our_files(today, tmp_path):
    worst = taken_over(today, tmp_path)
    assert set(worst) == set(CASES)
    assert max(worst.values()) <= CLOSE, worst


@pytest.mark.caffe
@pytest.mark.parametrize("name", CASES)
def test_we_go_on_with_caffes_states_and_files(today, name, tmp_path):
    assert single_steps(name, today[name], tmp_path / "steps") <= CLOSE
    assert resumed(name, today[name], tmp_path / "resumed") <= CLOSE


@pytest.mark.caffe
@pytest.mark.parametrize("name", CASES)
def test_golden_files_are_what_caffe_says_today(today, name):
    run, _ = read(GOLDEN / f"{name}.npz")
    assert {key for key in run if key.startswith(("blob/", "history/"))} >= {f"blob/{k}/frozen/0" for k in range(STEPS)}
    for key, theirs in today[name].items():
        if key.startswith(("blob/", "history/")):
            np.testing.assert_allclose(run[key], theirs, rtol=1e-4, atol=1e-6, err_msg=f"{name} {key}")

"""wf train: flags, the result, signals. What training does is tested with workflow.training."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Run
from small_net import make_generation

from workflow.config import Config
from workflow.generations import generation
from workflow.report.training import describe

SETTINGS = "train: {solver: prototxt/small_solver.prototxt, deploy: prototxt/small_deploy.prototxt}\n"


@pytest.fixture
def small(wf: Run, project: Path) -> Run:
    """`wf` in a project whose generation 1 takes a second to train."""
    make_generation(project)
    (project / "configs").mkdir()
    (project / "configs" / "default.yaml").write_text(SETTINGS)
    return wf


def test_json_keys_and_plain_progress(small: Run) -> None:
    ran = small("train", "--json")
    document = ran.json
    assert (document["generation"], document["engine"], document["iterations"]) == (1, "torch", 20)
    assert [one["iteration"] for one in document["snapshots"]] == [10, 20]
    assert 0 <= document["test_accuracy"] <= 1
    assert document["test_loss"] > 0
    assert document["seconds"] > 0
    assert document["seconds_per_iteration"] > 0
    assert "after 0 iterations: test accuracy" in ran.err
    assert "snapshot iter_10" in ran.err
    assert "\x1b" not in ran.err
    record = generation(Config(), 1).read()
    assert record.commands[-1] == ("wf", "train", "--json")
    assert Path("generations/gen1/logs/curves.png").is_file()


def test_the_result_for_people_and_going_on(small: Run) -> None:
    ran = small("train", "--max-iter", "10", "--quiet")
    assert ran.out.startswith("generation 1: 10 iterations, test accuracy ")
    assert "small_iter_10.caffemodel" in ran.out
    assert ran.err == ""
    assert "resuming from iter_10, to 20 iterations" in small("train").err
    assert "generation 1: 25 iterations, test accuracy" in small("train", "--max-iter", "25").out
    again = small("train")
    assert "nothing to do" in again.err  # T18
    assert "resuming" not in again.err


@pytest.mark.parametrize(
    ("tested_at", "words"),
    [
        (9, "9 iterations, test accuracy 0.7500, test loss 0.6000"),
        (5, "9 iterations, not tested since iteration 5 (test accuracy 0.7500, test loss 0.6000 there)"),
        (None, "9 iterations, not tested"),
    ],
)
def test_each_figure_is_of_an_iteration(tested_at: int | None, words: str) -> None:
    figures = (0.75, 0.6) if tested_at is not None else (None, None)
    facts = dict(zip(("accuracy", "loss"), figures, strict=True)) | {"tested_at": tested_at, "solver_split": "test"}
    facts |= {"generation": 1, "iterations": 9, "seconds": 1, "seconds_per_iteration": None, "snapshots": []}
    facts |= dict.fromkeys(("always", "best", "grown", "test", "chosen_by_test", "balanced_accuracy", "lost_patience"))
    facts["warnings"] = []
    assert describe(facts).splitlines()[0] == f"generation 1: {words}"


def test_flags(small: Run) -> None:
    small("train", "--max-iter", "5", "--threads", "1", "--seed", "9", "--precision", "float32", "--gen", "1")
    training = generation(Config(), 1).read().training
    assert (training.threads, training.random_seed, training.iterations) == (1, 9, 5)
    ran = small(
        "train", "--max-iter", "4", "--fresh", "--weights", "generations/gen1/snapshots/small_iter_5.caffemodel"
    )
    assert "kept in generations/gen1/before-1" in ran.err or ran.code == 0


def test_wrong_flags(small: Run) -> None:
    assert "'torch', 'caffe'" in small("train", "--engine", "numpy", code=2).err
    assert "2" in small("train", "--gen", "2", code=2).err
    ran = small("train", "--resume", "iter_3", "--json", code=2)
    assert ran.json["error"]["message"]


@pytest.fixture
def running(small: Run) -> Iterator[subprocess.Popen[str]]:
    """A `wf train` of its own process that has just written a snapshot and would go on for long."""
    solver = Path("prototxt/small_solver.prototxt")
    solver.write_text(solver.read_text().replace("snapshot: 10", "snapshot: 5"))
    command = [sys.executable, "-m", "workflow", "train", "--json", "--max-iter", "1000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        heard(process, "snapshot iter_")
        yield process
        process.kill()


def heard(process: subprocess.Popen[str], start: str) -> None:
    """Wait for a line on stderr that begins so."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(start):
            return
    raise AssertionError(f"it ended without '{start}'")


def test_t03_sigint_finishes_the_step_snapshots_and_ends(running: subprocess.Popen[str]) -> None:
    running.send_signal(signal.SIGHUP)  # T05: a snapshot, and on it goes
    heard(running, "snapshot after this iteration")
    heard(running, "snapshot iter_")
    heard(running, "snapshot iter_")
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "stopping after this iteration and writing a snapshot; press Ctrl-C again to quit now" in err
    assert "wf train --gen 1 resumes it" in err
    document = json.loads(out)
    assert document["snapshots"][-1]["iteration"] == document["iterations"]
    assert "Traceback" not in err


def test_t05_sigterm_does_the_same(running: subprocess.Popen[str]) -> None:
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 143
    assert "terminated: stopping after this iteration and writing a snapshot" in err
    document = json.loads(out)
    assert document["snapshots"][-1]["iteration"] == document["iterations"]


BEGUN = """
import sys
from workflow.cli import main
from workflow.engines.torch_cpu.solver import Solver
real = Solver.iterate
def iterate(self):
    print("begun", file=sys.stderr, flush=True)
    return real(self)
Solver.iterate = iterate
sys.argv = ["wf", "train", "--json"]
main()
"""


def test_t04_a_second_sigint_quits_now(small: Run, tmp_path: Path) -> None:
    """Both arrive within one long iteration: the second one does not wait for its end."""
    net = Path("prototxt/small_train_test.prototxt")
    net.write_text(net.read_text().replace("batch_size: 8", "batch_size: 30000"))
    with Path("prototxt/small_solver.prototxt").open("a") as solver:
        solver.write("iter_size: 10000\n")  # an hour an iteration
    command = [sys.executable, "-c", BEGUN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        heard(process, "begun")
        process.send_signal(signal.SIGINT)
        heard(process, "stopping after this iteration")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "stopped" in err
    assert json.loads(out)["error"]["message"] == "interrupted"


def test_seeds(small: Run) -> None:
    ran = small("train", "--seeds", "2", "--max-iter", "10")
    assert "seed 6, run 2 of 2" in ran.err
    assert "2 seeds: " in ran.out
    document = small("train", "--seeds", "2", "--max-iter", "10", "--json").json
    assert [one["seed"] for one in document["seeds"]] == [5, 6]
    assert set(document["band"]) == {"seeds", "mean", "sd", "range", "values"}
    assert (
        "--resume and --seeds cannot be used together"
        in small("train", "--seeds", "2", "--resume", "iter_10", code=2).err
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--hosts", "a,b"], "--hosts needs --rank"),
        (["--rank", "1"], "--rank needs --hosts"),
        (["--workers", "2", "--seeds", "3"], "several workers and --seeds cannot be used together"),
        (["--workers", "2", "--engine", "caffe"], "--workers 2 is for the torch engine"),
        (["--workers", "4", "--micro", "2"], "4 workers, but each batch is 2 micro-batches"),
    ],
)
def test_options_that_need_others(small, options, words):
    assert words in small("train", *options, code=2).err

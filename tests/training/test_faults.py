"""Rows L, M, X, C and T of the catalogue of faults, as `wf train` meets them."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import structs
from small_net import edit

from workflow.engines.base import Control, Done, Started, Step
from workflow.errors import (
    BusyError,
    DatabaseError,
    DataError,
    DivergedError,
    EnvironmentFault,
    ModelError,
    NetError,
    PrototxtError,
    UsageError,
)
from workflow.formats import solverstate
from workflow.machine import machine
from workflow.training import train

ROOT = Path("generations")
SOLVER = Path("prototxt/small_solver.prototxt")
NET = Path("prototxt/small_train_test.prototxt")


def test_l01_database_missing(run, generation):
    shutil.rmtree(generation.database("test"))
    with pytest.raises(DatabaseError, match="no database for generation 1") as caught:
        run()
    assert caught.value.fault == "L01"
    assert "wf prepare" in caught.value.hint


def test_l02_database_empty(run, generation):
    (generation.database("train") / "data.mdb").write_bytes(b"")
    with pytest.raises(DatabaseError, match="empty") as caught:
        run()
    assert caught.value.fault == "L02"


def test_l03_database_cut(run, generation):
    path = generation.database("train") / "data.mdb"
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(DatabaseError) as caught:
        run()
    assert caught.value.fault == "L03"


def test_l05_a_label_that_is_no_class(run, generation):
    import numpy as np

    from workflow.formats import datum, lmdb

    shutil.rmtree(generation.database("train"))
    with lmdb.Writer(generation.database("train")) as writer:
        for index in range(30):
            label = 9 if index == 27 else index % 3
            writer.put(b"%08d_x.png" % index, datum.encode(np.zeros((3, 9, 8), np.uint8), label))
    with pytest.raises(DatabaseError, match="record 00000027_x.png: label 9, but there are 3 classes") as caught:
        run()
    assert caught.value.fault == "L05"


def test_l10_read_only_data_set(run, generation):
    for path in [generation.dataset, *generation.dataset.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert isinstance(run(max_iter=2)[-1], Done)


def test_m01_mean_missing_or_empty(run, generation):
    generation.mean.write_bytes(b"")
    with pytest.raises(ModelError, match=r"mean\.binaryproto is empty"):
        run()
    generation.mean.unlink()
    with pytest.raises(ModelError, match="mean"):
        run()


def test_m02_mean_of_another_shape(run, generation):
    import numpy as np

    from workflow.formats.binaryproto import write_mean

    write_mean(generation.mean, np.ones((3, 64, 64), np.float32))
    with pytest.raises(NetError, match="mean is 3×64×64 but images are 3×9×8") as caught:
        run()
    assert caught.value.fault == "M02"


def test_m04_mean_file_and_mean_value(run):
    edit(NET, 'mean_file: "?" crop_size: 7 mirror', 'mean_file: "?" mean_value: 7 crop_size: 7 mirror')
    with pytest.raises(NetError, match="mean_file and mean_value cannot be used together"):
        run()


def test_x01_typo_in_the_net(run):
    edit(NET, "kernel_size: 3 pad", "kernal_size: 3 pad")
    with pytest.raises(PrototxtError, match="kernal_size") as caught:
        run()
    assert caught.value.at.line == 11
    assert "kernel_size" in str(caught.value)


def test_x04_unknown_layer(run):
    edit(NET, '"ReLU"', '"Mystery"')
    with pytest.raises(NetError, match="type 'Mystery' is not known to the torch engine; known: AbsVal") as caught:
        run()
    assert "--engine caffe" in caught.value.hint


def test_x05_bottom_that_nothing_makes(run):
    edit(NET, 'bottom: "pool" top: "ip"', 'bottom: "pol" top: "ip"')
    with pytest.raises(NetError, match="layer 'ip' reads 'pol', which no earlier layer makes"):
        run()


def test_x07_more_memory_than_there_is(run):
    edit(NET, "num_output: 6", "num_output: 2000000000")
    with pytest.raises(NetError, match="net needs about"):
        run()


def test_x09_a_source_elsewhere_is_never_opened(run, generation):
    edit(NET, 'source: "?"', 'source: "../../secret"')
    run(max_iter=1)
    assert "secret" not in generation.prototxt("train_test").read_text()


def test_x09_other_layers_stay_in_the_project(run, generation):
    spy = (
        'layer { name: "spy" type: "HDF5Output" bottom: "ip" bottom: "ip" hdf5_output_param { file_name: "../../x" } }'
    )
    edit(NET, 'layer { name: "accuracy"', f'{spy}\nlayer {{ name: "accuracy"')
    with pytest.raises(NetError, match="layer 'spy' .HDF5Output. writes '../../x', which lies outside") as caught:
        run(max_iter=1)
    assert caught.value.fault == "X09"
    assert not generation.prototxt("train_test").exists()


def test_c03_weights_where_a_state_is_needed(run):
    run(max_iter=10)
    with pytest.raises(UsageError, match="holds weights, not solver state") as caught:
        run(resume="generations/gen1/snapshots/small_iter_10.caffemodel")
    assert "small_iter_10.solverstate" in caught.value.hint
    assert caught.value.fault == "C03"


def test_c06_unknown_snapshot(run):
    run(max_iter=10)
    with pytest.raises(UsageError, match=r"no snapshot iter_1 in generation 1 \(gen1 has iter_10\)") as caught:
        run(resume="iter_1")
    assert caught.value.hint == "did you mean 'iter_10'?"


def test_c07_another_kind_of_solver_or_no_state(run, generation):
    run(max_iter=10)
    record = generation.read()
    generation.write(structs.replace(record, training=record.training.updated({"solver_type": "Nesterov"})))
    with pytest.raises(UsageError, match="iter_10 was trained with Nesterov, the solver now says SGD"):
        run()
    generation.write(record)
    (generation.folder / record.snapshots[0].state).unlink()
    with pytest.raises(UsageError, match="iter_10 has no solver state") as caught:
        run()
    assert caught.value.hint == "--weights iter_10 starts a new run from its weights"
    with pytest.raises(UsageError, match="no solver state"):
        run(resume="generations/gen1/snapshots/small_iter_10.solverstate")


def test_t01_diverged(run, generation):
    edit(SOLVER, "base_lr: 0.02", "base_lr: 1e30")
    with pytest.raises(DivergedError, match="loss became"):
        run()
    assert generation.read().snapshots == ()
    assert (generation.logs / "curves.png").is_file()


def test_t03_stop_finishes_the_step_and_snapshots(settings, generation):
    control = Control()
    events = []
    for event in train(settings, control=control):
        events.append(event)
        if isinstance(event, Step) and event.iteration == 6:
            control.stop()
    assert events[-1].stopped
    assert [one.iteration for one in generation.read().snapshots] == [7]


def test_t05_a_wish_to_snapshot_goes_on(settings, generation):
    control = Control()
    for event in train(settings, control=control, max_iter=12):
        if isinstance(event, Step) and event.iteration == 2:
            control.snapshot()
    assert [one.iteration for one in generation.read().snapshots] == [3, 10, 12]


def test_t07_a_pair_that_was_not_committed_is_ignored(run, generation, caplog):
    run(max_iter=10)
    state = generation.snapshots / "small_iter_15.solverstate"
    solverstate.write(state, solverstate.State(iteration=15, learned_net="x", history=(), current_step=0))
    (generation.snapshots / f"small_iter_20.caffemodel.tmp-{machine()}-999999999").write_bytes(b"half")
    caffes = generation.snapshots / f"small.tmp-{machine()}-999999999"  # the folder of a killed run of real Caffe
    caffes.mkdir()
    (caffes / "solver.prototxt").write_bytes(b"x")
    assert run()[0].iteration == 10
    assert "ignoring incomplete snapshot iter_15" in caplog.text
    assert not list(generation.snapshots.glob("*tmp*"))


def test_t08_the_third_snapshot_that_fails_stops_the_run(run, settings, generation, monkeypatch, caplog):
    import errno

    import workflow.storage

    run(max_iter=10)

    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("workflow.formats.caffemodel.atomic_write", full)
    edit(SOLVER, "snapshot: 10", "snapshot: 2")
    with pytest.raises(EnvironmentFault, match=r"No space left on device \(3 times in a row\)") as caught:
        run()
    assert caught.value.hint.startswith("iter_10 is safe")
    assert caplog.text.count("training continues") == 2
    assert workflow.storage.atomic_write is not full


def test_t08_a_last_snapshot_that_fails_is_no_success(run, settings, generation, monkeypatch):
    import errno

    run(max_iter=10)

    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("workflow.formats.caffemodel.atomic_write", full)
    edit(SOLVER, "snapshot: 10", "snapshot: 100")
    with pytest.raises(EnvironmentFault, match="the last snapshot, iter_30, could not be written") as caught:
        run(max_iter=30)
    assert caught.value.fault == "T08"
    assert [one.iteration for one in generation.read().snapshots] == [10]


@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="needs setpriv when run by root")
def test_t09_unwritable_generation(run, generation, project):
    """As another user, in a process of its own: root may write anywhere."""
    code = (
        "import sys; from pathlib import Path; from workflow.training.run import _probe\n"
        "from workflow.generations import Generation\n"
        "from workflow.errors import EnvironmentFault\n"
        "try: _probe(Generation(1, Path('generations/gen1')))\n"
        "except EnvironmentFault as error: print(error.fault, error.message)\n"
    )
    generation.folder.chmod(0o555)
    as_nobody = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    for parent in [project, *project.parents]:
        if os.geteuid() == 0 and parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    repository = str(Path(__file__).parents[2])
    done = subprocess.run(
        [*as_nobody, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": repository},
        check=False,
    )
    generation.folder.chmod(0o755)
    assert "T09 cannot write to generations/gen1 (Permission denied)" in done.stdout, done.stderr


def test_t10_another_process_works_on_it(run, generation):
    with generation.held("wf train"), pytest.raises(BusyError, match=rf"in use by pid {os.getpid()} on \S+ \(wf train"):
        run()


def test_t11_the_lock_of_a_dead_process_is_free(run, generation):
    code = (
        "import os, time; from pathlib import Path; from workflow.generations import Generation\n"
        "with Generation(1, Path('generations/gen1')).held('wf train'):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(BusyError, match=rf"by pid {other.pid}"):
            run()
        other.kill()
    assert isinstance(run(max_iter=1)[-1], Done)


def test_t14_another_data_set_is_refused(run, generation):
    record = generation.read()
    generation.write(structs.replace(record, hashes={"images.jsonl": "0" * 64}))
    with pytest.raises(DataError, match="changed since it was prepared") as caught:
        run()
    assert caught.value.fault == "T14"


def test_t14_other_threads_are_said(run, caplog):
    run(max_iter=10, threads=1)
    run(max_iter=12, threads=2)
    assert "resuming from iteration 10 with different settings: threads 2 (was 1)" in caplog.text


def test_t15_a_generation_that_is_not_there(run):
    with pytest.raises(UsageError, match="generation 4 not found"):
        run(number=4)


def test_t16_the_folder_of_snapshots_vanishes(settings, generation):
    events = train(settings, max_iter=10)
    next(events)
    shutil.rmtree(generation.snapshots)
    with pytest.raises(EnvironmentFault, match="snapshots disappeared during training") as caught:
        list(events)
    assert caught.value.fault == "T16"


def test_t16_the_folder_vanishes(settings, generation):
    events = train(settings)
    for event in events:
        if isinstance(event, Step) and event.iteration == 3:
            break
    shutil.move(generation.folder, "elsewhere")
    with pytest.raises(EnvironmentFault, match="disappeared during training") as caught:
        list(events)
    assert caught.value.fault == "T16"


def test_t18_nothing_to_do(run, caplog):
    run(max_iter=10)
    caplog.set_level(logging.WARNING)
    events = run(max_iter=10)
    assert [type(event) for event in events] == [Started, Done]
    assert "nothing to do: generation 1 already has 10 of 10" in caplog.text


def test_flags_that_exclude_each_other(run):
    with pytest.raises(UsageError, match="cannot be used together"):
        run(resume="latest", fresh=True)
    with pytest.raises(UsageError, match="bfloat16 is for the torch engine"):
        run(engine="caffe", precision="bfloat16")

"""Runs of real Caffe's solvers, step by step: how they are made, kept as golden files, and read.

A run is 20 updates of a small net with everything that an update looks at: biases with their own lr_mult and no decay,
a layer that is frozen, a weight that two layers share. Its keys: `solver` (the prototxt), `blob/K/LAYER/I` (parameters
after K updates), `history/K/I` (of the solverstate) and `current_step/K`, K = 0..20; `model` and `state`, the two files
of iteration 10 as Caffe wrote them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
from caffe_process import CAFFE_PYTHON, run_caffe
from numpy.typing import NDArray

from workflow.formats import caffemodel, solverstate

GOLDEN = Path(__file__).parents[1] / "golden" / "solvers"
Run = Mapping[str, NDArray[np.generic]]
STEPS = 20
MIDDLE = 10
"""Iteration of the resumes: there, whatever the iter_size, the 20 rows have been read a whole number of times, and
real Caffe begins at the first row after a restart."""

NET = """
name: "steps"
layer { name: "rows" type: "HDF5Data" top: "data" top: "label" hdf5_data_param { source: "rows.txt" batch_size: 4 } }
layer { name: "left" type: "InnerProduct" bottom: "data" top: "left" param { name: "shared" } param { lr_mult: 2 }
  inner_product_param { num_output: 3 weight_filler { type: "uniform" min: -1 max: 1 } } }
layer { name: "right" type: "InnerProduct" bottom: "data" top: "right"
  param { name: "shared" } param { lr_mult: 2 decay_mult: 0 }
  inner_product_param { num_output: 3 weight_filler { type: "uniform" min: -1 max: 1 }
    bias_filler { type: "uniform" min: -1 max: 1 } } }
layer { name: "bend" type: "TanH" bottom: "right" top: "right" }
layer { name: "both" type: "Eltwise" bottom: "left" bottom: "right" top: "both" eltwise_param { coeff: 1 coeff: -0.5 } }
layer { name: "frozen" type: "Scale" bottom: "both" top: "scaled" param { lr_mult: 0 }
  scale_param { filler { type: "uniform" min: 0.5 max: 2 } } }
layer { name: "last" type: "InnerProduct" bottom: "scaled" top: "last" param { decay_mult: 3 } param { lr_mult: 0.5 }
  inner_product_param { num_output: 2 weight_filler { type: "uniform" min: -1 max: 1 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "last" bottom: "label" top: "loss" }
"""
_FIXED = 'lr_policy: "fixed"'
_STEP = 'lr_policy: "step" gamma: 0.5 stepsize: 6'
_MULTISTEP = 'lr_policy: "multistep" gamma: 0.3 stepvalue: 4 stepvalue: 4 stepvalue: 12'
_EXP = 'lr_policy: "exp" gamma: 0.95'
_INV = 'lr_policy: "inv" gamma: 0.1 power: 0.75'
_POLY = 'lr_policy: "poly" power: 1.5'
_SIGMOID = 'lr_policy: "sigmoid" gamma: 0.3 stepsize: 8'
_L1 = 'weight_decay: 0.01 regularization_type: "L1"'
_L2 = "weight_decay: 0.02"
_HDF5 = "snapshot_format: HDF5"
_CLIP = "clip_gradients: 0.4"
CASES = {
    "sgd": f'type: "SGD" base_lr: 0.1 momentum: 0.9 {_STEP} {_L2}',
    "sgd_clipped": f'type: "SGD" base_lr: 0.2 momentum: 0.8 {_MULTISTEP} {_L1} {_CLIP} iter_size: 2 {_HDF5}',
    "nesterov": f'type: "Nesterov" base_lr: 0.1 momentum: 0.9 {_INV} {_L2}',
    "nesterov_clipped": f'type: "Nesterov" base_lr: 0.1 momentum: 0.7 {_POLY} {_L1} {_CLIP} iter_size: 3 {_HDF5}',
    "adagrad": f'type: "AdaGrad" base_lr: 0.1 {_FIXED} {_L2}',
    "adagrad_clipped": f'type: "AdaGrad" base_lr: 0.2 delta: 0.01 {_EXP} {_L1} {_CLIP} iter_size: 2 {_HDF5}',
    "rmsprop": f'type: "RMSProp" base_lr: 0.01 rms_decay: 0.9 {_SIGMOID} {_L2}',
    "rmsprop_clipped": f'type: "RMSProp" base_lr: 0.02 delta: 0.001 {_STEP} {_L1} {_CLIP} iter_size: 2 {_HDF5}',
    "adadelta": f'type: "AdaDelta" base_lr: 1 momentum: 0.95 delta: 1e-6 {_FIXED} {_L2}',
    "adadelta_clipped": (
        f'type: "AdaDelta" base_lr: 2 momentum: 0.9 delta: 1e-5 {_MULTISTEP} {_L1} {_CLIP} iter_size: 3 {_HDF5}'
    ),
    "adam": f'type: "Adam" base_lr: 0.01 momentum: 0.9 momentum2: 0.999 {_FIXED} {_L2}',
    "adam_clipped": (
        f'type: "Adam" base_lr: 0.02 momentum: 0.8 momentum2: 0.99 {_INV} {_L1} {_CLIP} iter_size: 2 {_HDF5}'
    ),
}
"""Name -> what the solver says beside its net; each type once plain, once with all that bends a gradient."""

_SNIPPET = """
import os
home = os.getcwd()
for name in [str(one) for one in given['names']]:
    os.chdir(os.path.join(home, name))
    solver = caffe.get_solver('solver.prototxt')
    if name + '/state' in given:
        solver.restore(str(given[name + '/state']))
    else:
        solver.snapshot()
    solver.step(int(given['steps']))
os.chdir(home)
"""


def solver_text(settings: str) -> str:
    """The prototxt of a solver that snapshots after each update."""
    return f'net: "net.prototxt" max_iter: {STEPS} snapshot: 1 snapshot_prefix: "caffe" random_seed: 3 {settings}'


def ending(name: str) -> str:
    """What the files of a case's snapshots end with after their kind."""
    return ".h5" if _HDF5 in CASES[name] else ""


def prepare(folder: Path, settings: str) -> Path:
    """Solver, net and rows in a new folder; returns it."""
    folder.mkdir(parents=True)
    (folder / "net.prototxt").write_text(NET)
    (folder / "solver.prototxt").write_text(solver_text(settings))
    rng = np.random.default_rng(11)
    with h5py.File(folder / "rows.h5", "w") as file:
        file["data"] = rng.normal(size=(STEPS, 4)).astype(np.float32)
        file["label"] = rng.normal(size=(STEPS, 2)).astype(np.float32)
    (folder / "rows.txt").write_text("rows.h5\n")
    return folder


def record(folder: Path) -> dict[str, Run]:
    """All cases run by real Caffe, in one process; their files stay in `folder`/NAME."""
    for name, settings in CASES.items():
        prepare(folder / name, settings)
    go_on(folder, STEPS)
    return {name: _recorded(folder / name, name) for name in CASES}


def go_on(folder: Path, steps: int, **states: str) -> None:
    """Real Caffe makes `steps` updates of each case; from the states (case -> file name there) if any are given."""
    given: dict[str, NDArray[np.generic]] = {f"{name}/state": np.array(state) for name, state in states.items()}
    run_caffe(CAFFE_PYTHON, _SNIPPET, folder, names=np.array(list(CASES)), steps=np.array(steps), **given)


def _recorded(folder: Path, name: str) -> Run:
    run: dict[str, NDArray[np.generic]] = {"solver": np.array(solver_text(CASES[name]))}
    for k in range(STEPS + 1):
        state = solverstate.read(folder / f"caffe_iter_{k}.solverstate{ending(name)}")
        run[f"current_step/{k}"] = np.array(state.current_step)
        run |= {f"history/{k}/{i}": blob for i, blob in enumerate(state.history)}
        run |= blobs(folder / f"caffe_iter_{k}.caffemodel{ending(name)}", f"blob/{k}")
    for what in ("model", "state"):
        kind = {"model": "caffemodel", "state": "solverstate"}[what]
        run[what] = np.frombuffer((folder / f"caffe_iter_{MIDDLE}.{kind}{ending(name)}").read_bytes(), np.uint8)
    return run


def blobs(path: Path, head: str) -> dict[str, NDArray[np.generic]]:
    """HEAD/LAYER/I -> the parameters in a caffemodel; what an HDF5 file leaves to the owner of a share is left out."""
    return {
        f"{head}/{layer.name}/{index}": array
        for layer in caffemodel.read(path).layer
        for index, array in enumerate(caffemodel.arrays(layer))
        if array.size
    }


def write(path: Path, run: Run, origin: Mapping[str, str]) -> int:
    """Write a golden file; returns its size in bytes."""
    numbers = {key: array for key, array in run.items() if key.partition("/")[0] in ("blob", "history")}
    about = {
        "origin": dict(origin),
        "solver": str(run["solver"]),
        "shapes": {key: array.shape for key, array in numbers.items()},
        "current_step": [int(run[f"current_step/{k}"]) for k in range(STEPS + 1)],
    }
    values = np.concatenate([array.astype(np.float32).ravel() for array in numbers.values()])
    np.savez_compressed(path, about=np.array(json.dumps(about)), values=values, model=run["model"], state=run["state"])
    return path.stat().st_size


def read(path: Path) -> tuple[Run, dict[str, str]]:
    """The run of a golden file; and `by` whom and by which `command` it was recorded."""
    with np.load(io.BytesIO(path.read_bytes())) as file:
        about, values = json.loads(str(file["about"])), file["values"]
        run: dict[str, NDArray[np.generic]] = {"model": file["model"], "state": file["state"]}
    run["solver"] = np.array(about["solver"])
    run |= {f"current_step/{k}": np.array(step) for k, step in enumerate(about["current_step"])}
    start = 0
    for key, shape in about["shapes"].items():
        count = int(np.prod(shape))
        run[key] = values[start : start + count].reshape(shape)
        start += count
    return run, about["origin"]

"""Records the solver's lines of three small runs in real Caffe: `.caffe/bin/python tests/golden/caffe_log/record.py`.

Writes run.log (tests, displays, snapshots), resume.log (goes on from run.log's first snapshot) and diverged.log (NaN),
and ORIGIN.json, beside itself. Only lines of Caffe's solvers and tests are kept.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

NET = """
name: "golden net"
layer { name: "data" type: "DummyData" top: "data" top: "target"
  dummy_data_param { shape { dim: 4 dim: 3 } shape { dim: 4 dim: 2 }
    data_filler { type: "gaussian" std: 1 } data_filler { type: "constant" value: 0.5 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "target" top: "loss" loss_weight: 2 }
layer { name: "mean" type: "Reduction" bottom: "ip" top: "sums" include { phase: TEST }
  reduction_param { operation: SUM axis: 1 } }
"""
SOLVER = """
net: "net.prototxt" test_iter: 2 test_interval: 4 lr_policy: "step" stepsize: 5 gamma: 0.1 momentum: 0.9
display: 3 max_iter: 9 snapshot: 5 snapshot_prefix: "golden" random_seed: 3 base_lr: %s
"""
RUN = """
import sys, caffe
caffe.init_log(0, True)
caffe.get_solver("solver.prototxt").solve(*sys.argv[1:])
"""


def run(name, rate, *resume):
    """One run; its log goes to NAME.log."""
    Path("solver.prototxt").write_text(SOLVER % rate)
    done = subprocess.run([sys.executable, "-c", RUN, *resume], stderr=subprocess.PIPE, check=True)
    lines = done.stderr.decode().splitlines(True)
    kept = [line for line in lines if "solver.cpp:" in line and "parameters:" not in line]
    (HERE / (name + ".log")).write_text("".join(kept))


HERE = Path(__file__).resolve().parent
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    Path("net.prototxt").write_text(NET)
    run("run", "0.05")
    run("resume", "0.05", "golden_iter_5.solverstate")
    run("diverged", "1e20")

logs = ("run.log", "resume.log", "diverged.log")
origin = {
    "by": "BVLC Caffe 1.0 CPU as built in kendryte-caffe 1.0.0.20210829",
    "command": ".caffe/bin/python tests/golden/caffe_log/record.py",
    "sha256": {name: hashlib.sha256((HERE / name).read_bytes()).hexdigest() for name in logs},
}
(HERE / "ORIGIN.json").write_text(json.dumps(origin, indent=2) + "\n")

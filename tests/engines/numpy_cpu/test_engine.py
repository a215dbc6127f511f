from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import text_format

from workflow.engines.base import Job
from workflow.engines.numpy_cpu import Engine, knows, layer_types
from workflow.errors import UsageError
from workflow.formats import caffe_pb2

WANTED = """Data Input Convolution Pooling ReLU Sigmoid TanH LRN Dropout InnerProduct Softmax SoftmaxWithLoss Accuracy
Split Concat Eltwise Flatten BatchNorm Scale PReLU Slice Reshape Power"""


def net(text):
    return text_format.Parse(text, caffe_pb2.NetParameter())


def test_the_layers_that_it_knows():
    assert layer_types() == sorted(WANTED.split())


def test_knows_what_runs_in_test_phase_only():
    assert knows(net('layer { name: "a" type: "Input" top: "a" }'))
    assert not knows(net('layer { name: "a" type: "Deconvolution" bottom: "x" top: "a" }'))
    assert knows(net('layer { name: "a" type: "Python" top: "a" include { phase: TRAIN } }'))


def test_does_not_train():
    with pytest.raises(UsageError, match="does not train .solver.prototxt."):
        Engine().train(Job(folder=Path(), solver=Path("solver.prototxt")))


def test_imports_neither_torch_nor_what_one_picture_does_not_need():
    """Looking at one picture waits for none of these."""
    program = (
        "import sys, workflow.engines.numpy_cpu, workflow.interpretation.activations.inspect, workflow.models.loading;"
        "print([name for name in ('torch', 'lmdb', 'h5py', 'matplotlib', 'click', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

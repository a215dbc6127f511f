"""In a process of its own, which has not imported PyTorch; and in this one, which has."""

from __future__ import annotations

import subprocess
import sys

import pytest

TRAINING = """
import sys
from workflow.lean_torch import leave_out_shape_kernels
leave_out_shape_kernels()
import torch
x = torch.rand(2, 3, 9, 9, requires_grad=True)
y = torch.nn.functional.max_pool2d(torch.conv2d(x, torch.rand(4, 3, 3, 3)), 2).relu()
torch.nn.functional.cross_entropy(y.flatten(1), torch.tensor([0, 1])).backward()
torch.Generator().manual_seed(1)
print(bool(x.grad.abs().sum() > 0), "torch._decomp.decompositions" in sys.modules)
"""
SHAPES = """
import sys
import torch
from workflow.lean_torch import leave_out_shape_kernels
from workflow.net.build import build
from workflow.formats import caffe_pb2
from google.protobuf import text_format
leave_out_shape_kernels()
from workflow.engines.torch_cpu import Net
left = not hasattr(sys.modules["torch._meta_registrations"], "register_meta")
net = text_format.Parse('layer { name: "in" type: "Input" top: "x" input_param { shape { dim: [1, 2, 5, 4] } } }'
    'layer { name: "up" type: "Deconvolution" bottom: "x" top: "y" '
    'convolution_param { num_output: 3 kernel_size: 4 } }'
    'layer { name: "n" type: "MVN" bottom: "y" top: "z" }', caffe_pb2.NetParameter())
built = Net(build(net, phase="TEST"))
found = built.run({"x": torch.rand(1, 2, 5, 4).numpy()})
print(left, tuple(built.blobs["z"].shape), hasattr(sys.modules["torch._meta_registrations"], "register_meta"))
"""


@pytest.fixture(scope="module")
def lean() -> list[str]:
    """What a process says that leaves the kernels out, trains, and asks for shapes."""
    done = subprocess.run([sys.executable, "-c", TRAINING + SHAPES], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_a_training_needs_no_shape_kernels(lean: list[str]) -> None:
    assert lean[0] == "True False"


def test_shapes_are_told_all_the_same(lean: list[str]) -> None:
    assert lean[1] == "True (1, 3, 8, 7) True"


def test_nothing_is_left_out_of_what_was_imported_before(capsys: pytest.CaptureFixture[str]) -> None:
    exec(SHAPES, {})  # PyTorch is imported as ever
    assert capsys.readouterr().out.strip() == "False (1, 3, 8, 7) True"

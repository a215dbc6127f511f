"""In processes of their own: this one has imported PyTorch."""

from __future__ import annotations

import subprocess
import sys

import pytest

LEFT_OUT = "torch._meta_registrations"
SHAPES = """
import sys
from pathlib import Path
from workflow.lean_torch import leave_out_shape_kernels
from workflow.net.build import build
from workflow.formats import caffe_pb2
from google.protobuf import text_format
{first}
leave_out_shape_kernels()
import torch
from workflow.engines.torch_cpu import Net
left = not hasattr(sys.modules["torch._meta_registrations"], "register_meta")
net = text_format.Parse('layer {{ name: "in" type: "Input" top: "x" input_param {{ shape {{ dim: [1, 2, 5, 4] }} }} }}'
    'layer {{ name: "up" type: "Deconvolution" bottom: "x" top: "y" '
    'convolution_param {{ num_output: 3 kernel_size: 4 }} }}'
    'layer {{ name: "n" type: "MVN" bottom: "y" top: "z" }}', caffe_pb2.NetParameter())
built = Net(build(net, phase="TEST"))
torch.manual_seed(1)
found = built.run({{"x": torch.rand(1, 2, 5, 4).numpy()}})
print(left, tuple(built.blobs["z"].shape), hasattr(sys.modules["torch._meta_registrations"], "register_meta"))
"""


@pytest.mark.parametrize(("first", "left"), [("", True), ("import torch", False)], ids=["lean", "imported before"])
def test_shapes_are_told_all_the_same(first: str, left: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHAPES.format(first=first)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{left} (1, 3, 8, 7) True"


def test_a_training_needs_no_shape_kernels() -> None:
    code = (
        "import sys; from workflow.lean_torch import leave_out_shape_kernels; leave_out_shape_kernels()\n"
        "import torch; x = torch.rand(2, 3, 9, 9, requires_grad=True)\n"
        "y = torch.nn.functional.max_pool2d(torch.conv2d(x, torch.rand(4, 3, 3, 3)), 2).relu()\n"
        "torch.nn.functional.cross_entropy(y.flatten(1), torch.tensor([0, 1])).backward()\n"
        "torch.Generator().manual_seed(1)\n"
        "print(bool(x.grad.abs().sum() > 0), 'torch._decomp.decompositions' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True False"

"""BatchNorm that does the work of the Scale behind it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from google.protobuf import text_format

from workflow.engines.torch_cpu import Net, joined
from workflow.formats import caffe_pb2
from workflow.net.build import build

NET = """name: "n"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 4 dim: 3 dim: 6 dim: 5 } } }
layer { name: "bn" type: "BatchNorm" bottom: "x" top: "y" }
layer { name: "sc" type: "Scale" bottom: "y" top: "y"
  scale_param { bias_term: true filler { type: "gaussian" std: 1 } bias_filler { type: "gaussian" std: 1 } } }
layer { name: "loss" type: "Reduction" bottom: "y" top: "loss" loss_weight: 1 reduction_param { operation: SUMSQ } }
"""
APART = {
    "a blob of its own": ('bottom: "y" top: "y"', 'bottom: "y" top: "z"'),
    "no gradient": ('bottom: "y" top: "y"', 'bottom: "y" top: "y" propagate_down: false'),
    "two axes": ("bias_term: true", "bias_term: true num_axes: 2"),
    "another axis": ("bias_term: true", "bias_term: true axis: 2"),
    "one number": ("bias_term: true", "bias_term: true num_axes: 0"),
    "a loss": ('top: "y"\n  scale', 'top: "y" loss_weight: 1\n  scale'),
}


def net(text=NET, phase="TRAIN"):
    return Net(build(text_format.Parse(text, caffe_pb2.NetParameter()), phase=phase), seed=3)


def apart(made):
    made._scales = {}  # as if the two did not fit
    return made


def found(made, x):
    """The output, the statistics, and the gradients of a training pass."""
    made.run({"x": x}).backward()
    learned = [one.tensor.grad.numpy() for one in made.learnable if one.tensor.requires_grad]
    return [made.blobs["y"].detach().numpy(), *(blob.numpy() for blob in made.params["bn"]), *learned]


@pytest.mark.parametrize("bias", ["bias_term: true", "bias_term: false"])
def test_it_gives_what_the_two_give(bias):
    text = NET.replace("bias_term: true", bias)
    x = np.random.default_rng(1).normal(2, 3, (4, 3, 6, 5)).astype(np.float32)
    assert list(joined.scales(net(text).layers, net(text).shapes)) == [1]
    for one, other in zip(found(net(text), x), found(apart(net(text)), x), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-4)


def test_it_gives_what_the_two_give_in_testing():
    x = np.random.default_rng(1).normal(2, 3, (4, 3, 6, 5)).astype(np.float32)
    trained = net()
    trained.run({"x": x})
    outputs = []
    for made in (net(phase="TEST"), apart(net(phase="TEST"))):
        made.copy_from(trained.message())
        with torch.inference_mode():
            made.run({"x": x})
        outputs.append(made.blobs["y"].numpy())
    np.testing.assert_allclose(*outputs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", APART)
def test_what_differs_stays_apart(case):
    text = NET.replace(*APART[case])
    assert text != NET
    if case == "a blob of its own":
        text = text.replace('bottom: "y" top: "loss"', 'bottom: "z" top: "loss"')
    if case == "a loss":  # of a blob that nothing else reads
        text = text[: text.index('layer { name: "loss"')]
    made = net(text)
    assert joined.scales(made.layers, made.shapes) == {}

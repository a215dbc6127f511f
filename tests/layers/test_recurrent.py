"""LSTM, RNN, LSTMUnit: states from pass to pass, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from google.protobuf import text_format
from one_layer import make

from workflow.engines.torch_cpu import Net
from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.net.build import build

NET = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 5 } } }
layer { name: "cont" type: "Input" top: "cont" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "lstm" type: "%s" bottom: "x" bottom: "cont" top: "y" recurrent_param { num_output: 4
  weight_filler { type: "uniform" min: -1 max: 1 } } }
layer { name: "loss" type: "Reduction" bottom: "y" top: "loss" loss_weight: 1 }
"""
X = np.random.default_rng(5).normal(size=(2, 3, 5)).astype("f")
ON, NEW = np.ones((2, 3), "f"), np.array([[0, 0, 0], [1, 1, 1]], "f")


def net(kind):
    return Net(build(text_format.Parse(NET % kind, caffe_pb2.NetParameter()), phase="TRAIN"), seed=1)


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_states_are_carried_to_the_next_pass_unless_a_sequence_begins(kind):
    one = net(kind)
    first = one.forward(x=X, cont=ON)["loss"]
    again = one.forward(x=X, cont=ON)["loss"]
    assert first != again
    assert one.forward(x=X, cont=NEW)["loss"] == pytest.approx(first, rel=1e-6)


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_a_net_at_its_first_pass_begins_with_zeros(kind):
    one = net(kind)
    first = one.forward(x=X, cont=ON)["loss"]
    one.position = 0  # as for every test of a solver
    assert one.forward(x=X, cont=ON)["loss"] == first


def test_no_gradient_goes_back_to_the_pass_before():
    one = net("LSTM")
    one.run({"x": X, "cont": ON}).backward()
    before = one.params["lstm"][0].grad.clone()
    one.run({"x": X, "cont": NEW}).backward()  # a second pass through the first graph would stop here
    np.testing.assert_allclose(one.params["lstm"][0].grad, 2 * before, rtol=1e-5)


def test_states_seen_in_a_test_do_not_stop_training():
    one = net("LSTM")
    with torch.inference_mode():
        one.run({"x": X, "cont": ON})
    one.run({"x": X, "cont": ON}).backward()


def text(kind, bottoms, tops, param="num_output: 4"):
    wires = " ".join([*(f'bottom: "{name}"' for name in bottoms), *(f'top: "{name}"' for name in tops)])
    return f'name: "r" type: "{kind}" {wires} recurrent_param {{ {param} }}'


@pytest.mark.parametrize(
    ("layer", "shapes", "words"),
    [
        (text("LSTM", "xc", "y", ""), [], "num_output=0, expected at least 1"),
        (text("LSTM", "xc", "yab"), [], "3 tops, expected 1 with expose_hidden: false"),
        (text("RNN", "xcs", "y", "num_output: 4 expose_hidden: true"), [], "1 tops, expected 2 with"),
        (text("RNN", "xc", "yz", "num_output: 4 expose_hidden: true"), [], "2 bottoms, expected 3 or 4"),
        (text("LSTM", "xc", "y"), [(2, 3, 5), (3, 2)], "expected .T, N, .... and .T, N."),
        (text("LSTM", "xc", "y"), [(2, 3), (2, 3)], "expected .T, N, .... and .T, N."),
        (text("LSTM", "xcs", "y"), [(2, 3, 5), (2, 3), (2, 3)], "expected .3, ....: one input for all moments"),
        (
            text("RNN", "xch", "yz", "num_output: 4 expose_hidden: true"),
            [(2, 3, 5), (2, 3), (1, 3, 5)],
            "state of shape .1, 3, 5., expected .1, 3, 4.",
        ),
        (text("LSTMUnit", "abc", "de"), [(1, 2, 3), (1, 2, 9), (1, 2)], "expected .1, N, D., .1, N, 4 D. and .1, N."),
    ],
)
def test_refused(layer, shapes, words):
    with pytest.raises(NetError, match=words):
        make(layer).top_shapes(*shapes)


def test_the_number_of_moments_is_fixed():
    one = net("RNN")
    one.forward(x=X, cont=ON)
    with pytest.raises(NetError, match="1 moments, but the layer was built for 2"):
        one.forward(x=X[:1], cont=ON[:1])


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
@pytest.mark.parametrize(("inputs", "static", "shape"), [(4, 6, r"\(2, 3, 4\)"), (5, 7, r"\(3, 7\)")])
def test_numbers_a_moment_are_fixed(kind, inputs, static, shape):
    layer = make(text(kind, "xcs", "y"))
    layer.blobs = [torch.zeros(blob.shape) for blob in layer.param_blobs((2, 3, 5), (2, 3), (3, 6))]
    with pytest.raises(NetError, match=f"bottom of shape {shape}, expected [56] inputs"):
        layer.forward(torch.zeros(2, 3, inputs), torch.zeros(2, 3), torch.zeros(3, static))

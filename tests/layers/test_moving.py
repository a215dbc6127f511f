"""Layers that move values about, on numbers that one can follow."""

from __future__ import annotations

import numpy as np
import pytest
from google.protobuf import text_format
from one_layer import make

from workflow.engines.torch_cpu import Net
from workflow.formats import caffe_pb2
from workflow.net.build import build


def test_argmax_gives_ties_to_the_larger_index(one_layer):
    scores = np.array([[5, 9, 9, 1], [0, 0, 0, 0]], np.float32)
    text = 'name: "a" type: "ArgMax" bottom: "x" top: "y" argmax_param { top_k: 3 out_max_val: true }'
    y = one_layer(text, scores).tops[0]
    np.testing.assert_array_equal(y, [[[2, 1, 0], [9, 9, 5]], [[3, 2, 1], [0, 0, 0]]])


def test_filter_may_keep_nothing(one_layer, x):
    text = 'name: "f" type: "Filter" bottom: "x" bottom: "c" top: "y"'
    layer = make(text)
    assert layer.top_shapes((2, 3), (2, 1)) == [(2, 3)]  # all of them, while the net is planned
    net = Net(
        build(
            text_format.Parse(
                f"""input: "x" input: "c" layer {{ name: "x" type: "Input" top: "x" top: "c" input_param {{
                shape {{ dim: 2 dim: 3 }} shape {{ dim: 2 }} }} }} layer {{ {text} }}
                layer {{ name: "r" type: "ReLU" bottom: "y" top: "r" }}""",
                caffe_pb2.NetParameter(),
            ),
            phase="TRAIN",
        )
    )
    items = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    assert net.forward(x=items, c=np.zeros(2, np.float32))["r"].shape == (0, 3)
    np.testing.assert_array_equal(net.forward(x=items, c=np.array([0, 2], np.float32))["r"], items[1:])


def test_im2col_holds_rows_of_each_window_as_channels(one_layer):
    x = np.arange(12, dtype=np.float32).reshape(1, 1, 3, 4)
    text = 'name: "i" type: "Im2col" bottom: "x" top: "y" convolution_param { kernel_h: 2 kernel_w: 1 stride: 2 }'
    y = one_layer(text, x).tops[0]
    np.testing.assert_array_equal(y, [[[[0, 2]], [[4, 6]]]])


def test_deconvolution_adds_windows_up(one_layer):
    text = """name: "d" type: "Deconvolution" bottom: "x" top: "y"
      convolution_param { num_output: 1 kernel_size: 3 stride: 2 bias_term: false }"""
    x, weight = np.array([[[1, 10]]], np.float32), np.array([[[1, 2, 3]]], np.float32)
    np.testing.assert_array_equal(one_layer(text, x, blobs=[weight]).tops[0], [[[1, 2, 13, 20, 30]]])


def test_a_window_that_c_lets_hang_over_sees_zeros(one_layer):
    """H=2, k=3, s=2: C's division truncates towards zero, so that there is one window."""
    text = """name: "c" type: "Convolution" bottom: "x" top: "y"
      convolution_param { num_output: 1 kernel_h: 3 kernel_w: 1 stride: 2 bias_term: false }"""
    x, weight = np.array([[[[2], [3]]]], np.float32), np.array([[[[1], [10], [100]]]], np.float32)
    assert one_layer(text, x, blobs=[weight]).tops[0] == 32


@pytest.mark.parametrize(
    ("dims", "more", "expected"),
    [
        ("dim: 0 dim: -1", "", (2, 105)),
        ("dim: 5 dim: 0 dim: -1", "axis: 1", (2, 5, 7, 3)),
        ("dim: 21 dim: 1", "axis: 1 num_axes: 2", (2, 21, 1, 5)),
        ("dim: 1", "axis: -1 num_axes: 0", (2, 3, 7, 5, 1)),
    ],
)
def test_reshape(one_layer, x, dims, more, expected):
    text = f'name: "r" type: "Reshape" bottom: "x" top: "y" reshape_param {{ shape {{ {dims} }} {more} }}'
    y = one_layer(text, x).tops[0]
    assert y.shape == expected
    np.testing.assert_array_equal(y.ravel(), x.ravel())


def test_silence_makes_nothing(one_layer, x):
    assert one_layer('name: "s" type: "Silence" bottom: "x"', x).tops == []


def test_a_parameter_is_a_top_that_learns():
    text = 'name: "p" type: "Parameter" top: "y" parameter_param { shape { dim: 2 dim: 3 } } loss_weight: 1'
    net = Net(build(text_format.Parse(f"layer {{ {text} }}", caffe_pb2.NetParameter()), phase="TRAIN"))
    net.run().backward()
    assert net.blobs["y"].tolist() == [[0, 0, 0], [0, 0, 0]]
    assert net.params["p"][0].grad.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_spp_lays_level_behind_level(one_layer):
    x = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    y = one_layer('name: "s" type: "SPP" bottom: "x" top: "y" spp_param { pyramid_height: 2 }', x).tops[0]
    np.testing.assert_array_equal(y, [[15, 5, 7, 13, 15]])

"""What the layers refuse, each in one line that names the layer, what was got and what was expected."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from one_layer import make

from workflow.errors import NetError

X = (2, 3, 7, 5)
CASES = [
    ("ArgMax", "argmax_param { top_k: 0 }", [X], "top_k=0, expected at least 1"),
    ("ArgMax", "argmax_param { top_k: 106 }", [X], "top_k=106, but there are 105 values"),
    ("ArgMax", "", [()], r"shape \(\), expected \(N, ...\)"),
    ("ArgMax", "argmax_param { top_k: 4 axis: 1 }", [X], "top_k=4, but there are 3 values"),
    ("BatchNorm", "", [(4,)], r"shape \(4,\), expected \(N, C, ...\)"),
    ("BatchNorm", "param { decay_mult: 0 }", [X], "statistics, which no solver may change"),
    ("BatchReindex", "", [X, (2, 1)], r"indices of shape \(2, 1\), expected one axis"),
    ("BatchReindex", "", [(), (1,)], r"shape \(\), expected \(N, ...\)"),
    ("Bias", "bias_param { axis: 0 }", [()], "axis 0 of a blob with 0 axes"),
    ("Bias", "bias_param { axis: 2 num_axes: 3 }", [X], "no 3 axes from axis 2 on"),
    ("Bias", "", [X, (4,)], r"no axes of sizes \(4,\) from axis 1 on"),
    ("Clip", "clip_param { min: 1 }", [X], "needs both min and max"),
    ("Convolution", "convolution_param { num_output: 2 kernel_size: 2 }", [(2, 3)], "expected 1 to 3"),
    ("Convolution", "convolution_param { num_output: 2 kernel_h: 2 kernel_w: 2 }", [(2, 3, 5)], "1 spatial axes"),
    ("Concat", "concat_param { axis: 3 }", [X, (2, 3, 7)], "expected them equal but for axis 3"),
    ("Crop", "", [X, (2, 3, 7)], "expected no fewer axes in the second"),
    ("Crop", "crop_param { offset: 1 offset: 1 offset: 1 }", [X, X], "3 offsets, expected 1 or 2"),
    ("Crop", "crop_param { offset: 1 }", [X, (2, 3, 6, 5)], "5 values from offset 1 on, but axis 3 has 5"),
    ("Deconvolution", "convolution_param { num_output: 2 kernel_size: 1 pad: 9 }", [X], "pad .9, 9. takes away"),
    ("Deconvolution", "convolution_param { num_output: 4 kernel_size: 1 group: 3 }", [X], "does not divide"),
    ("Embed", "embed_param { input_dim: 4 }", [(2,)], "num_output=0, expected at least 1"),
    ("Embed", "embed_param { num_output: 4 }", [(2,)], "input_dim=0, expected at least 1"),
    ("Exp", "exp_param { base: 0 }", [X], "base=0, expected more than 0, or -1 for e"),
    ("Filter", "", [X, (3,)], "but 3 items to choose from"),
    ("Filter", "", [X, (2, 3)], r"choice of shape \(2, 3\)"),
    ("Flatten", "flatten_param { axis: 2 end_axis: 0 }", [X], "axis 2 and end_axis 0, expected the end not before"),
    ("Im2col", "convolution_param { kernel_size: 9 }", [X], "smaller than the window"),
    ("Im2col", "convolution_param { kernel_size: 1 axis: 3 }", [X], "no axes behind axis 3"),
    ("Log", "log_param { base: 1 }", [X], "base=1, expected more than 0 and not 1"),
    ("MVN", "", [(2, 3, 4, 5, 6)], "expected at most 4 axes"),
    ("PReLU", "", [(2,)], "2 to 4 axes"),
    ("PReLU", "", [()], "2 to 4 axes"),
    (
        "Pooling",
        "pooling_param { global_pooling: true stride: 2 }",
        [X],
        r"stride \(2, 2\), expected pad 0 and stride 1",
    ),
    ("Pooling", "pooling_param { global_pooling: true pad_h: 0 pad_w: 1 }", [X], r"pad \(0, 1\) and stride \(1, 1\)"),
    ("Pooling", "pooling_param { kernel_size: 2 pad_h: 1 }", [X], "both pad_h and pad_w"),
    ("Pooling", "pooling_param { pool: STOCHASTIC kernel_size: 2 }", [X], "STOCHASTIC does not run on a CPU"),
    ("Reduction", "reduction_param { axis: 4 }", [X], "axis 4 of a blob with 4 axes"),
    ("Reshape", "reshape_param { shape { dim: -1 dim: -1 } }", [X], "at most one is -1"),
    ("Reshape", "reshape_param { shape { dim: 4 dim: -1 } }", [X], "does not fit"),
    ("Reshape", "reshape_param { shape { dim: 0 } axis: 4 }", [X], "has no axis of .* to copy"),
    ("Reshape", "reshape_param { axis: 3 num_axes: 2 }", [X], "axis 3 and num_axes 2"),
    ("SPP", "spp_param { }", [X], "pyramid_height=0"),
    ("SPP", "spp_param { pyramid_height: 3 }", [X], "expected less than the kernel"),
    ("SPP", "spp_param { pyramid_height: 1 pool: STOCHASTIC }", [X], "STOCHASTIC does not run on a CPU"),
    ("Scale", "scale_param { num_axes: -2 }", [X], "num_axes=-2, expected -1 or more"),
    ("Slice", "slice_param { axis: 1 slice_dim: 1 }", [X], "two names of one thing"),
    ("Slice", "slice_param { slice_point: 1 slice_point: 2 }", [X], "2 slice points, expected 0 for 1 tops"),
    ("Tile", "", [X], "tiles=0, expected at least 1"),
]


@pytest.mark.parametrize(("kind", "param", "shapes", "words"), CASES)
def test_settings_that_cannot_be(one_layer, kind, param, shapes, words):
    bottoms = " ".join(f'bottom: "b{i}"' for i in range(len(shapes)))
    with pytest.raises(NetError, match=words):
        one_layer(f'name: "l" type: "{kind}" {bottoms} top: "y" {param}', *(np.zeros(s, np.float32) for s in shapes))


def test_slice_points_must_rise(one_layer, x):
    text = (
        'name: "s" type: "Slice" bottom: "x" top: "a" top: "b" top: "c" slice_param { slice_point: 2 slice_point: 2 }'
    )
    with pytest.raises(NetError, match="expected them to rise from 1 to 2"):
        one_layer(text, x)
    with pytest.raises(NetError, match="7 values on axis 2 cannot be cut into 3 equal parts"):
        one_layer(text.replace("slice_point: 2 slice_point: 2", "axis: 2"), x)


def test_a_batch_of_none_cannot_be_cut(one_layer):
    text = 'name: "s" type: "Slice" bottom: "x" top: "a" top: "b" slice_param { axis: 0 }'
    with pytest.raises(NetError, match="expected them to rise"):
        one_layer(text, np.zeros((0, 3), np.float32))


def test_filter_has_one_top_for_each_bottom_but_the_last():
    with pytest.raises(NetError, match="2 bottoms and 2 tops"):
        make('name: "f" type: "Filter" bottom: "x" bottom: "c" top: "a" top: "b"')


@pytest.mark.parametrize("number", [-1, 2])
def test_indices_beyond_the_items_are_refused(one_layer, x, number):
    which = np.array([0, number], np.float32)
    with pytest.raises(NetError, match=rf"index {number}, but there are 2 items \(0 to 1\)"):
        one_layer('name: "r" type: "BatchReindex" bottom: "x" bottom: "i" top: "y"', x, which)
    text = 'name: "e" type: "Embed" bottom: "x" top: "y" embed_param { num_output: 1 input_dim: 2 bias_term: false }'
    with pytest.raises(NetError, match=rf"number {number}, expected 0 to 1 \(input_dim: 2\)"):
        one_layer(text, which, blobs=[np.zeros((2, 1), np.float32)])


@pytest.mark.parametrize("kind", ["AbsVal", "Flatten", "Reshape", "Split"])
def test_some_cannot_work_in_place(kind):
    with pytest.raises(NetError, match="works in place on 'x', which this type cannot"):
        make(f'name: "l" type: "{kind}" bottom: "x" top: "x"')


@pytest.mark.parametrize("kind", ["Log", "BNLL", "Power", "Swish", "Clip"])
def test_in_place_where_caffe_trains_wrongly_is_warned_of(kind, caplog):
    text = f'name: "l" type: "{kind}" bottom: "x" top: "x" clip_param {{ min: 0 max: 1 }}'
    with caplog.at_level(logging.WARNING, "workflow"):
        make(text, "TEST")
        assert not caplog.records
        make(text)
    assert f"layer 'l' ({kind}): works in place" in caplog.text

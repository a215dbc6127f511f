from __future__ import annotations

import numpy as np
import pytest
import torch
from google.protobuf import text_format

from workflow.engines.torch_cpu import Net, blocked
from workflow.formats import caffe_pb2
from workflow.net.build import build

HEAD = """name: "trunk" layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 3 dim: 3 dim: 19 dim: 14 } } }"""
TAIL = 'layer { name: "ip" type: "InnerProduct" bottom: "%s" top: "ip" inner_product_param { num_output: 5 %s } }'
RANDOM = 'weight_filler { type: "gaussian" std: 0.3 } bias_filler { type: "gaussian" }'


def convolution(name, bottom, more="kernel_size: 3 pad: 1", channels=16):
    return f"""layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}"
      convolution_param {{ num_output: {channels} {more} {RANDOM} }} }}"""


def pooling(name, bottom, more):
    return f'layer {{ name: "{name}" type: "Pooling" bottom: "{bottom}" top: "{name}" pooling_param {{ {more} }} }}'


def plain(kind, blob, more=""):
    return f'layer {{ name: "{kind}_{blob}" type: "{kind}" bottom: "{blob}" top: "{blob}" {more} }}'


def net(*layers, last, phase="TEST"):
    text = " ".join([HEAD, *layers, TAIL % (last, RANDOM)])
    return Net(build(text_format.Parse(text, caffe_pb2.NetParameter()), phase=phase), seed=1)


def types(made):
    return [made.layers[number].spec.type for number in sorted(blocked.trunk(made.layers, made.shapes))]


def passes(made, pictures):
    """All blobs of a pass that may use the layout, and of one that may not."""
    with torch.inference_mode():
        made.run({"data": pictures})
        found = {name: tensor.numpy().copy() for name, tensor in made.blobs.items()}
    made.position = 0
    made.run({"data": pictures})
    return found, {name: tensor.detach().numpy() for name, tensor in made.blobs.items()}


@pytest.fixture
def pictures():
    return np.random.default_rng(1).uniform(-1, 1, (3, 3, 19, 14)).astype(np.float32)


@pytest.mark.parametrize(
    "geometry", ["kernel_size: 3", "kernel_h: 5 kernel_w: 2 stride_h: 2 pad_w: 1 stride_w: 1 pad_h: 0"]
)
@pytest.mark.parametrize("pool", ["MAX", "AVE"])
@pytest.mark.parametrize("window", ["kernel_size: 3 stride: 2", "kernel_h: 2 kernel_w: 3 stride_h: 1 stride_w: 3"])
@pytest.mark.parametrize("mode", ["CEIL", "FLOOR"])
def test_every_blob_is_the_same_as_in_ordinary_memory(pictures, geometry, pool, window, mode):
    made = net(
        convolution("c1", "data", geometry),
        pooling("p1", "c1", f"pool: {pool} {window} round_mode: {mode}"),
        plain("ReLU", "p1"),
        convolution("c2", "p1", "kernel_size: 3 pad: 2 dilation: 2 group: 2", channels=32),
        plain("Dropout", "c2"),
        pooling("p2", "c2", f"pool: AVE kernel_size: 2 stride: 2 round_mode: {mode}"),
        last="p2",
    )
    assert types(made) == ["Convolution", "Pooling", "ReLU", "Convolution", "Dropout", "Pooling"]
    found, expected = passes(made, pictures)
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5 * np.abs(array).max(), err_msg=name)


def test_a_blob_with_two_readers_is_split_within_the_layout(pictures):
    made = net(convolution("c1", "data"), convolution("c2", "c1"), pooling("p", "c1", "kernel_size: 2"), last="c2")
    assert types(made) == ["Convolution", "Split", "Convolution", "Pooling"]
    found, expected = passes(made, pictures)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5 * np.abs(array).max(), err_msg=name)


@pytest.mark.parametrize(
    "layers",
    [
        (convolution("c", "data", channels=20),),
        (convolution("c", "data"), plain("LRN", "c", "lrn_param { norm_region: WITHIN_CHANNEL }")),
        (convolution("c", "data"), plain("ReLU", "c", "relu_param { negative_slope: 0.1 }")),
        (convolution("c", "data"), pooling("p", "c", "pool: AVE kernel_size: 3 pad: 1")),
        (convolution("c", "data"), pooling("p", "c", "pool: MAX kernel_size: 3 pad: 2 stride: 2")),
        (convolution("c", "data", "kernel_h: 3 kernel_w: 17 stride: 20"),),
        (convolution("c", "data").replace("convolution_param", "loss_weight: 1 convolution_param"),),
    ],
    ids=["channels", "LRN", "slope", "padded average", "padding", "overhang", "loss weight"],
)
def test_a_net_with_a_layer_that_does_not_know_the_layout_stays_out_of_it(layers):
    assert types(net(*layers, last="p" if 'top: "p"' in layers[-1] else "c")) == []


def test_dropout_of_training_stays_out_of_it():
    layers = convolution("c", "data"), plain("Dropout", "c")
    assert types(net(*layers, last="c", phase="TRAIN")) == []


def test_pictures_of_another_size_pass_in_ordinary_memory(pictures):
    # the last window begins in the 19th row, which pictures of 18 rows do not have
    made = net(convolution("c", "data"), pooling("p", "c", "kernel_size: 2 stride: 3"), last="p")
    assert types(made) == ["Convolution", "Pooling"]
    found, expected = passes(made, pictures[:, :, :18])
    np.testing.assert_array_equal(found["p"], expected["p"])


def test_neither_gradients_nor_bfloat16_go_with_it():
    assert not blocked.possible()
    with torch.inference_mode():
        assert blocked.possible() == torch.backends.mkldnn.is_available()
        with torch.autocast("cpu", torch.bfloat16):
            assert not blocked.possible()

from __future__ import annotations

import numpy as np
import pytest

from workflow import engines
from workflow.errors import NetError
from workflow.formats import blobproto, caffe_pb2, prototxt
from workflow.models.linear_tail import compose, feature_blob, find

# the picture (3, 7, 5) becomes conv (4, 5, 4), which a ReLU works on in place
HEAD = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 7 dim: 5 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_h: 3 kernel_w: 2 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
"""
IP1 = 'layer { name: "ip1" type: "InnerProduct" bottom: "conv" top: "ip1" inner_product_param { num_output: 6 } }'
IP2 = 'layer { name: "ip2" type: "InnerProduct" bottom: "%s" top: "ip2" inner_product_param { num_output: 3 } }'
PROB = 'layer { name: "prob" type: "Softmax" bottom: "%s" top: "prob" }'

QUICK = [IP1, IP2 % "ip1", PROB % "ip2"]
FLAT = [
    'layer { name: "flat" type: "Flatten" bottom: "conv" top: "flat" }',
    'layer { name: "drop" type: "Dropout" bottom: "flat" top: "flat" }',
    IP1.replace('"conv"', '"flat"'),
    'layer { name: "fold" type: "Reshape" bottom: "ip1" top: "fold" reshape_param { shape { dim: 0 dim: 2 dim: 3 } } }',
    IP2 % "fold",
    PROB % "ip2",
]
SCALED = [
    'layer { name: "scale" type: "Scale" bottom: "conv" top: "scaled" scale_param { bias_term: true } }',
    'layer { name: "power" type: "Power" bottom: "scaled" top: "power" power_param { scale: -2 shift: 0.5 } }',
    'layer { name: "ip2" type: "InnerProduct" bottom: "power" top: "ip2" '
    "inner_product_param { num_output: 3 transpose: true } }",
    'layer { name: "each" type: "Scale" bottom: "ip2" top: "each" }',
    PROB % "each",
]
SPLIT = [*QUICK, 'layer { name: "aside" type: "Pooling" bottom: "conv" top: "aside" pooling_param { kernel_size: 2 } }']
CONVOLVED = [
    'layer { name: "wide" type: "Convolution" bottom: "conv" top: "wide" convolution_param '
    "{ num_output: 6 kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 0 group: 2 } }",
    IP2 % "wide",
    PROB % "ip2",
]
SHAPES = {
    "conv": [(4, 3, 3, 2), (4,)],
    "ip1": [(6, 80), (6,)],
    "scale": [(4,), (4,)],
    "each": [(3,)],
    "wide": [(6, 2, 3, 2), (6,)],
}
INPUTS = {"ip1": 6, "fold": 6, "power": 80, "wide": 6 * 3 * 3}


def parse(lines: list[str]) -> caffe_pb2.NetParameter:
    return prototxt.parse(HEAD + "\n".join(lines), caffe_pb2.NetParameter)


def weights(net: caffe_pb2.NetParameter) -> caffe_pb2.NetParameter:
    rng = np.random.default_rng(3)
    filled = caffe_pb2.NetParameter()
    for layer in net.layer:
        shapes = SHAPES.get(layer.name)
        if layer.name == "ip2":
            shape = (3, INPUTS[layer.bottom[0]])
            shapes = [shape[::-1] if layer.inner_product_param.transpose else shape, (3,)]
        if shapes:
            blobs = [blobproto.from_array(rng.normal(size=shape).astype("f")) for shape in shapes]
            filled.layer.add(name=layer.name, blobs=blobs)
    return filled


def run(net: caffe_pb2.NetParameter, engine: str = "numpy"):
    """(stretch, weights, biases, blobs) for two pictures."""
    stretch = find(net, "prob")
    data = np.random.default_rng(5).normal(size=(2, 3, 7, 5)).astype("f")
    with engines.get(engine).open(net, weights(net)) as session:
        blobs = session.forward(data=data)
        sizes = {name: array.shape[1:] for name, array in blobs.items()}
        return stretch, *compose(stretch, session.params, sizes), blobs


@pytest.mark.parametrize("lines", [QUICK, FLAT, SCALED, SPLIT, CONVOLVED])
def test_the_sum_is_the_logit(lines):
    stretch, rows, bias, blobs = run(parse(lines))
    assert stretch.start == "conv"
    assert stretch.stopped.name == "relu"
    assert rows.shape == (3, 4, 5, 4)
    assert rows.dtype == bias.dtype == np.float64
    for index in range(2):
        sums = (rows * blobs["conv"][index]).sum((1, 2, 3)) + bias
        np.testing.assert_allclose(sums, blobs[stretch.logits][index].reshape(-1), rtol=1e-4, atol=1e-4)


def test_a_learned_bias():
    lines = [
        'layer { name: "bias" type: "Bias" bottom: "conv" top: "shifted" bias_param { axis: 1 } }',
        IP1.replace('"conv"', '"shifted"'),
        IP2 % "ip1",
        PROB % "ip2",
    ]
    stretch = find(parse(lines), "prob")
    assert [step.layer.name for step in stretch.steps] == ["bias", "ip1", "ip2"]
    rng = np.random.default_rng(1)
    params = {"bias": [rng.normal(size=4)], "ip1": [rng.normal(size=(6, 80))], "ip2": [rng.normal(size=(3, 6))]}
    params["ip1"].append(np.zeros(6))
    x = rng.normal(size=(4, 5, 4))
    expected = params["ip2"][0] @ params["ip1"][0] @ (x + params["bias"][0][:, None, None]).reshape(-1)
    rows, bias = compose(stretch, params, {"conv": (4, 5, 4), "shifted": (4, 5, 4), "ip1": (6,), "ip2": (3,)})
    np.testing.assert_allclose((rows * x).sum((1, 2, 3)) + bias, expected)


def test_a_relu_between_leaves_the_last_layer():
    lines = [IP1, 'layer { name: "relu1" type: "ReLU" bottom: "ip1" top: "ip1" }', IP2 % "ip1", PROB % "ip2"]
    stretch, rows, bias, blobs = run(parse(lines))
    assert (stretch.start, stretch.stopped.name) == ("ip1", "relu1")
    assert rows.shape == (3, 6)
    np.testing.assert_allclose(rows @ blobs["ip1"][1] + bias, blobs["ip2"][1], rtol=1e-4)
    assert feature_blob(parse(lines), "prob") == "conv"


def test_what_worked_in_place_on_the_first_blob_is_in_its_values():
    lines = [
        'layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }',
        *QUICK,
    ]
    stretch, rows, bias, blobs = run(parse(lines))
    assert [step.layer.name for step in stretch.steps] == ["ip1", "ip2"]
    np.testing.assert_allclose((rows * blobs["conv"][0]).sum((1, 2, 3)) + bias, blobs["ip2"][0], rtol=1e-4, atol=1e-4)


def test_what_is_not_linear():
    squared = [line.replace("scale: -2 shift: 0.5", "power: 2") for line in SCALED]
    assert find(parse(squared), "prob").start == "power"
    with pytest.raises(NetError, match=r"no linear layer with weights is before Softmax 'prob': 'relu' \(ReLU\)"):
        find(parse([PROB % "conv"]), "prob")


def test_where_features_are_taken():
    assert feature_blob(parse(QUICK), "prob") == "conv"
    assert feature_blob(parse(SPLIT), "prob") == "conv"
    assert feature_blob(parse(FLAT), "prob") == "flat"
    assert feature_blob(parse([PROB % "conv"]), "prob") == "conv"
    lines = [CONVOLVED[0], PROB % "wide"]
    assert feature_blob(parse(lines), "prob") == "conv"
    with pytest.raises(NetError, match="neither an InnerProduct nor a Softmax"):
        feature_blob(parse([]), None)

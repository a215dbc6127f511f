"""Layers and small nets beside real Caffe: every blob within 1e-5 of its largest number."""

from __future__ import annotations

import numpy as np
import pytest
from caffe_process import CAFFE_PYTHON, run_caffe
from google.protobuf import text_format

from workflow.engines.numpy_cpu.session import Session
from workflow.formats import blobproto, caffe_pb2
from workflow.net.build import build

X = (2, 3, 7, 5)
LAYERS = {
    "conv": (
        'type: "Convolution" convolution_param { num_output: 4 kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 '
        "pad_h: 1 pad_w: 0 }",
        [X],
    ),
    "conv_group": ('type: "Convolution" convolution_param { num_output: 6 group: 3 kernel_size: 3 dilation: 2 }', [X]),
    "conv_1x1": ('type: "Convolution" convolution_param { num_output: 5 kernel_size: 1 bias_term: false }', [X]),
    "max": ('type: "Pooling" pooling_param { kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 1 }', [X]),
    "max_deep": ('type: "Pooling" pooling_param { kernel_size: 3 stride: 2 pad: 2 }', [X]),
    "ave": ('type: "Pooling" pooling_param { pool: AVE kernel_size: 3 stride: 2 }', [(2, 3, 8, 6)]),
    "ave_pad": ('type: "Pooling" pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }', [(2, 3, 8, 6)]),
    "ave_deep": ('type: "Pooling" pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 2 }', [X]),
    "ave_global": ('type: "Pooling" pooling_param { pool: AVE global_pooling: true }', [X]),
    "relu": ('type: "ReLU" relu_param { negative_slope: 0.2 }', [X]),
    "prelu": ('type: "PReLU"', [X]),
    "prelu_shared": ('type: "PReLU" prelu_param { channel_shared: true }', [X]),
    "sigmoid": ('type: "Sigmoid"', [X]),
    "tanh": ('type: "TanH"', [X]),
    "power": ('type: "Power" power_param { power: 2 scale: 0.5 shift: 3 }', [X]),
    "power_0": ('type: "Power" power_param { power: 0 }', [X]),
    "lrn_across": ('type: "LRN" lrn_param { local_size: 3 alpha: 0.5 beta: 0.75 k: 2 }', [X]),
    "lrn_within": ('type: "LRN" lrn_param { local_size: 3 alpha: 0.5 beta: 0.6 norm_region: WITHIN_CHANNEL }', [X]),
    "dropout": ('type: "Dropout"', [X]),
    "ip": ('type: "InnerProduct" inner_product_param { num_output: 4 }', [X]),
    "ip_axis": ('type: "InnerProduct" inner_product_param { num_output: 4 axis: 2 transpose: true }', [X]),
    "softmax": ('type: "Softmax" softmax_param { axis: 2 }', [X]),
    "concat": ('type: "Concat" concat_param { axis: -1 }', [X, (2, 3, 7, 2)]),
    "slice": ('type: "Slice" top: "more" slice_param { axis: 2 slice_point: 3 }', [X]),
    "eltwise": ('type: "Eltwise" eltwise_param { coeff: 1 coeff: -2 coeff: 0.5 }', [X, X, X]),
    "eltwise_max": ('type: "Eltwise" eltwise_param { operation: MAX }', [X, X, X]),
    "flatten": ('type: "Flatten" flatten_param { axis: -3 end_axis: -2 }', [X]),
    "reshape": ('type: "Reshape" reshape_param { shape { dim: 0 dim: -1 dim: 7 } axis: 1 num_axes: 2 }', [X]),
    "scale": ('type: "Scale" scale_param { axis: 1 num_axes: 2 bias_term: true }', [X]),
    "scale_bottom": ('type: "Scale" scale_param { bias_term: true }', [X, (3,)]),
    "loss": ('type: "SoftmaxWithLoss" loss_param { normalization: FULL ignore_label: 1 }', [(4, 3, 2), "labels 4 2"]),
    "accuracy": ('type: "Accuracy" top: "more" accuracy_param { top_k: 2 }', [(9, 4), "labels 9"]),
}
NETS = {
    "memory that several names share": """
      layer { name: "twice" type: "Power" bottom: "b0" top: "twice" power_param { scale: 2 } }
      layer { name: "flat" type: "Flatten" bottom: "twice" top: "flat" }
      layer { name: "relu" type: "ReLU" bottom: "flat" top: "flat" }
      layer { name: "back" type: "Reshape" bottom: "flat" top: "back"
        reshape_param { shape { dim: 0 dim: 5 dim: 3 dim: 7 } } }
      layer { name: "drop" type: "Dropout" bottom: "back" top: "back" }""",
    "a block with a short cut": """
      layer { name: "conv" type: "Convolution" bottom: "b0" top: "conv"
        convolution_param { num_output: 3 kernel_size: 3 pad: 1 bias_term: false } }
      layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
      layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
      layer { name: "sum" type: "Eltwise" bottom: "conv" bottom: "b0" top: "sum" }
      layer { name: "cat" type: "Concat" bottom: "sum" bottom: "conv" bottom: "b0" top: "cat" }
      layer { name: "pool" type: "Pooling" bottom: "cat" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
      layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip" inner_product_param { num_output: 6 } }
      layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }""",
    "parameters that are shared": """
      layer { name: "a" type: "Convolution" bottom: "b0" top: "a" param { name: "w" } param { name: "b" }
        convolution_param { num_output: 3 kernel_size: 3 pad: 1 } }
      layer { name: "b" type: "Convolution" bottom: "a" top: "b" param { name: "w" } param { name: "b" }
        convolution_param { num_output: 3 kernel_size: 3 pad: 1 } }""",
}

SNIPPET = """
for name in [str(one) for one in given['names']]:
    open('case.prototxt', 'w').write(str(given[name + '.net']))
    net = caffe.Net('case.prototxt', caffe.TEST)
    rng = np.random.RandomState(7)
    for layer in net.params:
        for blob in net.params[layer]:
            blob.data[...] = rng.normal(size=blob.data.shape)
    for key in given:
        if key.startswith(name + '.bottom.'):
            net.blobs['b' + key.split('.')[-1]].data[...] = given[key]
    for layer in net.params:
        for index, blob in enumerate(net.params[layer]):
            result['%s.param.%s.%d' % (name, layer, index)] = blob.data.copy()
    net.forward()
    for blob in net.blobs:
        result['%s.blob.%s' % (name, blob)] = net.blobs[blob].data.copy()
"""


def bottoms_of(name):
    rng = np.random.default_rng(len(name))
    shapes = LAYERS[name][1] if name in LAYERS else [X]
    return [
        rng.integers(0, 3, size=[int(size) for size in shape.split()[1:]]).astype("f")
        if isinstance(shape, str)
        else rng.normal(size=shape).astype("f")
        for shape in shapes
    ]


def text_of(name):
    inputs = "\n".join(
        f'layer {{ name: "b{index}" type: "Input" top: "b{index}" input_param {{ shape {{ '
        f"{' '.join(f'dim: {size}' for size in bottom.shape)} }} }} }}"
        for index, bottom in enumerate(bottoms_of(name))
    )
    if name in NETS:
        return inputs + NETS[name]
    bottoms = " ".join(f'bottom: "b{index}"' for index in range(len(LAYERS[name][1])))
    return f'{inputs}\nlayer {{ name: "one" {bottoms} top: "top" {LAYERS[name][0]} }}'


@pytest.fixture(scope="module")
def caffe_says(tmp_path_factory):
    """What real Caffe makes of all cases, in one process."""
    names = [*LAYERS, *NETS]
    given = {"names": np.array(names)}
    for name in names:
        given[f"{name}.net"] = np.array(text_of(name))
        given |= {f"{name}.bottom.{index}": bottom for index, bottom in enumerate(bottoms_of(name))}
    return run_caffe(CAFFE_PYTHON, SNIPPET, tmp_path_factory.mktemp("caffe"), **given)


@pytest.mark.caffe
@pytest.mark.parametrize("name", [*LAYERS, *NETS])
def test_every_blob(caffe_says, name):
    net = text_format.Parse(text_of(name), caffe_pb2.NetParameter())
    weights = caffe_pb2.NetParameter()
    for layer in net.layer:
        head = f"{name}.param.{layer.name}."
        arrays = [caffe_says[key] for key in sorted(caffe_says) if key.startswith(head)]
        weights.layer.add(name=layer.name, blobs=[blobproto.from_array(array) for array in arrays])
    with Session(build(net, phase="TEST"), weights) as session:
        ours = session.forward(**{f"b{index}": bottom for index, bottom in enumerate(bottoms_of(name))})
    head = f"{name}.blob."
    theirs = {key.removeprefix(head): array for key, array in caffe_says.items() if key.startswith(head)}
    assert list(ours) == [blob for blob in theirs if blob != "(automatic)"]
    for blob, array in ours.items():
        assert array.shape == theirs[blob].shape, blob
        assert np.abs(array - theirs[blob]).max() <= 1e-5 * np.abs(theirs[blob]).max(), blob

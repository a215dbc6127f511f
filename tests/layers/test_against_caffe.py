"""Every layer forward and backward beside real Caffe, on shapes and settings that cannot hide a swap."""

from __future__ import annotations

import numpy as np
import pytest
from caffe_process import CAFFE_PYTHON, run_caffe
from one_layer import apply

X = (2, 3, 7, 5)
CASES = {
    "conv": (
        'type: "Convolution" convolution_param { num_output: 4 kernel_h: 3 kernel_w: 2 '
        "stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 0 }",
        [X],
    ),
    "conv_group": (
        'type: "Convolution" convolution_param { num_output: 6 group: 3 kernel_size: 3 pad: 2 dilation: 2 }',
        [X],
    ),
    "conv_no_bias": ('type: "Convolution" convolution_param { num_output: 2 kernel_size: 5 bias_term: false }', [X]),
    "conv_5x5": ('type: "Convolution" convolution_param { num_output: 8 kernel_size: 5 pad: 2 }', [(3, 3, 32, 32)]),
    "pool_max": ('type: "Pooling" pooling_param { pool: MAX kernel_size: 3 stride: 2 }', [X]),
    "pool_max_pad": (
        'type: "Pooling" pooling_param { pool: MAX kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 1 }',
        [X],
    ),
    "pool_max_deep_pad": ('type: "Pooling" pooling_param { pool: MAX kernel_size: 3 stride: 2 pad: 2 }', [X]),
    "pool_ave": ('type: "Pooling" pooling_param { pool: AVE kernel_size: 3 stride: 2 }', [(2, 3, 8, 6)]),
    "pool_ave_pad": (
        'type: "Pooling" pooling_param { pool: AVE kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 3 pad_h: 1 pad_w: 0 }',
        [X],
    ),
    "pool_ave_deep_pad": ('type: "Pooling" pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 2 }', [X]),
    "pool_ave_apart": ('type: "Pooling" pooling_param { pool: AVE kernel_size: 1 stride: 3 }', [(2, 3, 5, 8)]),
    "pool_global": ('type: "Pooling" pooling_param { pool: AVE global_pooling: true }', [X]),
    "relu": ('type: "ReLU"', [X]),
    "relu_slope": ('type: "ReLU" relu_param { negative_slope: 0.2 }', [X]),
    "sigmoid": ('type: "Sigmoid"', [X]),
    "tanh": ('type: "TanH"', [X]),
    "lrn_across": ('type: "LRN" lrn_param { local_size: 3 alpha: 0.5 beta: 0.75 k: 2 }', [X]),
    "lrn_within": ('type: "LRN" lrn_param { local_size: 3 alpha: 0.5 beta: 0.75 norm_region: WITHIN_CHANNEL }', [X]),
    "dropout_test": ('type: "Dropout" phase: TEST', [X]),
    "ip": ('type: "InnerProduct" inner_product_param { num_output: 4 }', [X]),
    "ip_axis": (
        'type: "InnerProduct" inner_product_param { num_output: 4 axis: 2 transpose: true bias_term: false }',
        [X],
    ),
    "softmax": ('type: "Softmax"', [X]),
    "softmax_axis": ('type: "Softmax" softmax_param { axis: 2 }', [X]),
    "concat": ('type: "Concat"', [X, (2, 4, 7, 5)]),
    "concat_axis": ('type: "Concat" concat_param { axis: -1 }', [X, (2, 3, 7, 2)]),
    "eltwise_sum": ('type: "Eltwise" eltwise_param { coeff: 1 coeff: -2 coeff: 0.5 }', [X, X, X]),
    "eltwise_prod": ('type: "Eltwise" eltwise_param { operation: PROD }', [X, X]),
    "eltwise_max": ('type: "Eltwise" eltwise_param { operation: MAX }', [X, X, X]),
    "flatten": ('type: "Flatten"', [X]),
    "flatten_axes": ('type: "Flatten" flatten_param { axis: -3 end_axis: -2 }', [X]),
    "loss": ('type: "SoftmaxWithLoss"', [(4, 3), "labels 4"]),
    "loss_places": (
        'type: "SoftmaxWithLoss" loss_param { normalization: FULL ignore_label: 1 }',
        [(4, 3, 2), "labels 4 2"],
    ),
    "loss_batch": (
        'type: "SoftmaxWithLoss" loss_param { normalization: BATCH_SIZE } loss_weight: 2',
        [(4, 3, 2), "labels 4 2"],
    ),
    "loss_axis": (
        'type: "SoftmaxWithLoss" softmax_param { axis: 2 } loss_param { normalize: false }',
        [(4, 2, 3), "labels 4 2"],
    ),
    "accuracy": ('type: "Accuracy"', [(9, 3), "labels 9"]),
    "accuracy_top_2": ('type: "Accuracy" accuracy_param { top_k: 2 ignore_label: 0 }', [(9, 3), "labels 9"]),
    "accuracy_axis": ('type: "Accuracy" accuracy_param { axis: 2 }', [(4, 2, 3), "labels 4 2"]),
}

SNIPPET = """
import os
for name in [str(one) for one in given['names']]:
    open('case.prototxt', 'w').write(str(given[name + '.net']))
    net = caffe.Net('case.prototxt', caffe.TRAIN)
    rng = np.random.RandomState(7)
    for index, blob in enumerate(net.params.get('one', [])):
        blob.data[...] = rng.normal(size=blob.data.shape)
        result['%s.blob.%d' % (name, index)] = blob.data.copy()
    bottoms = sorted(key for key in given if key.startswith(name + '.bottom.'))
    for index, key in enumerate(bottoms):
        net.blobs['b%d' % index].data[...] = given[key]
    net.forward()
    result[name + '.top'] = net.blobs['top'].data.copy()
    if 'Accuracy' in str(given[name + '.net']):
        continue
    diff = rng.normal(size=net.blobs['top'].data.shape).astype('f')
    if 'Loss' not in str(given[name + '.net']):
        net.blobs['top'].diff[...] = diff
    result[name + '.top_diff'] = net.blobs['top'].diff.copy()
    net.backward()
    for index, key in enumerate(bottoms):
        result['%s.bottom_diff.%d' % (name, index)] = net.blobs['b%d' % index].diff.copy()
    for index, blob in enumerate(net.params.get('one', [])):
        result['%s.blob_diff.%d' % (name, index)] = blob.diff.copy()
"""


def bottoms_of(name):
    rng = np.random.default_rng(len(name))
    return [
        rng.integers(0, 3, size=[int(size) for size in shape.split()[1:]]).astype("f")
        if isinstance(shape, str)
        else rng.normal(size=shape).astype("f")
        for shape in CASES[name][1]
    ]


def layer_text(name):
    bottoms = " ".join(f'bottom: "b{index}"' for index in range(len(CASES[name][1])))
    return f'name: "one" {bottoms} top: "top" {CASES[name][0]}'


def net_text(name):
    shapes = [" ".join(f"dim: {size}" for size in bottom.shape) for bottom in bottoms_of(name)]
    inputs = "\n".join(
        f'layer {{ name: "b{index}" type: "Input" top: "b{index}" input_param {{ shape {{ {shape} }} }} }}'
        for index, shape in enumerate(shapes)
    )
    return f'name: "{name}" force_backward: true\n{inputs}\nlayer {{ {layer_text(name)} }}'


@pytest.fixture(scope="module")
def caffe_says(tmp_path_factory):
    """What real Caffe makes of all cases, in one process."""
    given = {"names": np.array(list(CASES))}
    for name in CASES:
        given[f"{name}.net"] = np.array(net_text(name))
        given |= {f"{name}.bottom.{index}": bottom for index, bottom in enumerate(bottoms_of(name))}
    return run_caffe(CAFFE_PYTHON, SNIPPET, tmp_path_factory.mktemp("caffe"), **given)


def close(ours, theirs):
    """Within 1e-5 of the largest number."""
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 1e-5 * max(1e-30, np.abs(theirs).max())


@pytest.mark.caffe
@pytest.mark.parametrize("name", CASES)
def test_forward_and_gradients(caffe_says, name):
    def said(what):
        return [caffe_says[key] for key in sorted(caffe_says) if key.startswith(f"{name}.{what}.")]

    bottoms = bottoms_of(name)
    diffs = [caffe_says[f"{name}.top_diff"]] if f"{name}.top_diff" in caffe_says else []
    ours = apply(layer_text(name), *bottoms, blobs=said("blob"), top_diffs=diffs)
    close(ours.tops[0], caffe_says[f"{name}.top"])
    if not diffs:
        return
    for mine, theirs, bottom in zip(ours.bottom_diffs, said("bottom_diff"), CASES[name][1], strict=True):
        if not isinstance(bottom, str):  # labels get no gradient, in Caffe neither
            close(mine, theirs)
    for mine, theirs in zip(ours.blob_diffs, said("blob_diff"), strict=True):
        close(mine, theirs)

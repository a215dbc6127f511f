from __future__ import annotations

import numpy as np
import pytest

from workflow.formats import caffe_pb2, prototxt
from workflow.net.cost import multiply_adds


def layer(text: str) -> caffe_pb2.LayerParameter:
    return prototxt.parse(text, caffe_pb2.LayerParameter)


def test_a_convolution_costs_a_filter_for_each_output():
    # counted one by one: 2 pictures, 6 filters of 2 channels x 3 x 2 (group 2 of 4 channels), 5 x 4 outputs
    count = sum(2 * 3 * 2 for _ in np.ndindex(2, 6, 5, 4))
    conv = layer('type: "Convolution" convolution_param { num_output: 6 group: 2 }')
    assert multiply_adds(conv, [(2, 4, 7, 5)], [(2, 6, 5, 4)], [(6, 2, 3, 2), (6,)]) == count


def test_a_deconvolution_costs_a_filter_for_each_input():
    deconv = layer('type: "Deconvolution" convolution_param { num_output: 6 }')
    assert multiply_adds(deconv, [(2, 4, 7, 5)], [(2, 6, 9, 6)], [(4, 6, 3, 2), (6,)]) == 2 * 4 * 7 * 5 * 6 * 3 * 2


@pytest.mark.parametrize(("axis", "rows", "weights"), [(1, 2, (5, 21)), (2, 6, (5, 7))])
def test_an_inner_product_takes_all_inputs_to_all_outputs(axis, rows, weights):
    ip = layer(f'type: "InnerProduct" inner_product_param {{ num_output: 5 axis: {axis} }}')
    assert multiply_adds(ip, [(2, 3, 7)], [(rows, 5)], [weights, (5,)]) == rows * weights[0] * weights[1]


def test_layers_without_products_cost_nothing():
    assert multiply_adds(layer('type: "ReLU"'), [(2, 3, 7, 5)], [(2, 3, 7, 5)], []) == 0
    assert multiply_adds(layer('type: "Scale"'), [(2, 3)], [(2, 3)], [(3,)]) == 0

"""BatchNorm: its statistics, and that no solver touches them."""

from __future__ import annotations

import numpy as np
from google.protobuf import text_format

from workflow.engines.torch_cpu import Net
from workflow.formats import caffe_pb2
from workflow.net.build import build

NET = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 7 dim: 5 } } }
layer { name: "bn" type: "BatchNorm" bottom: "x" top: "y" batch_norm_param { moving_average_fraction: 0.5 eps: 0.01 } }
layer { name: "loss" type: "Reduction" bottom: "y" top: "loss" loss_weight: 1 }
"""


def net(phase="TRAIN"):
    return Net(build(text_format.Parse(NET, caffe_pb2.NetParameter()), phase=phase))


def test_a_batch_is_normalised_by_its_own_mean_and_remembered(x):
    trained = net()
    trained.run({"x": x})
    trained.run({"x": 3 * x})
    mean, variance = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    wide = 9 * variance[:, None, None] + 0.01
    expected = 3 * (x - mean[:, None, None]) / np.sqrt(wide)
    np.testing.assert_allclose(trained.blobs["y"].detach(), expected, rtol=1e-4, atol=1e-5)
    means, variances, weight = (blob.detach().numpy() for blob in trained.params["bn"])
    np.testing.assert_allclose(means, 0.5 * mean + 3 * mean, rtol=1e-5)
    np.testing.assert_allclose(variances, (0.5 + 9) * variance * 70 / 69, rtol=1e-5)  # 70 values a channel
    assert weight == 1.5


def test_testing_takes_what_was_remembered(x):
    trained = net()
    trained.run({"x": x})
    tested = net("TEST")
    tested.copy_from(trained.message())
    tested.run({"x": 2 * x})
    mean, variance = x.mean(axis=(0, 2, 3))[:, None, None], x.var(axis=(0, 2, 3))[:, None, None] * 70 / 69
    np.testing.assert_allclose(tested.blobs["y"], (2 * x - mean) / np.sqrt(variance + 0.01), rtol=1e-4, atol=1e-5)
    assert tested.params["bn"][2] == 1


def test_a_new_layer_divides_by_the_root_of_eps(x):
    tested = net("TEST")
    tested.run({"x": x})
    np.testing.assert_allclose(tested.blobs["y"], x * 10, rtol=1e-5)


def test_no_solver_touches_the_statistics():
    trained = net()
    assert [(one.rate, one.decay, one.tensor.requires_grad) for one in trained.learnable] == [(0, 0, False)] * 3
    saved = next(layer for layer in trained.message().layer if layer.name == "bn")
    assert [(param.lr_mult, param.decay_mult) for param in saved.param] == [(0, 0)] * 3


def test_one_value_a_channel_has_no_variance():
    text = NET.replace("dim: 2 dim: 3 dim: 7 dim: 5", "dim: 1 dim: 3")
    trained = Net(build(text_format.Parse(text, caffe_pb2.NetParameter()), phase="TRAIN"))
    trained.run({"x": np.array([[1, 2, 3]], np.float32)})
    assert [blob.tolist() for blob in trained.params["bn"]] == [[1, 2, 3], [0, 0, 0], [1]]
    assert trained.blobs["y"].tolist() == [[0, 0, 0]]

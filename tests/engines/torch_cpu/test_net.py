from __future__ import annotations

import numpy as np
import pytest
import torch
from google.protobuf import text_format

from workflow.engines.torch_cpu import Net
from workflow.errors import ModelError, NetError
from workflow.formats import blobproto, caffe_pb2
from workflow.net.build import build

TWINS = """
name: "twins"
layer { name: "in" type: "Input" top: "a" top: "b" input_param { shape { dim: 2 dim: 5 } } }
layer { name: "one" type: "InnerProduct" bottom: "a" top: "x" param { name: "w" %s } inner_product_param {
  num_output: 5 bias_term: false weight_filler { type: "xavier" } } }
layer { name: "two" type: "InnerProduct" bottom: "b" top: "y" param { name: "w" %s } inner_product_param {
  num_output: 5 bias_term: false } }
layer { name: "sum" type: "Eltwise" bottom: "x" bottom: "y" top: "sum" loss_weight: 1 }
"""


def net(text, phase="TRAIN", **options):
    return Net(build(text_format.Parse(text, caffe_pb2.NetParameter()), phase=phase), **options)


def test_shared_parameters_are_one_and_their_gradients_add_up():
    twins = net(TWINS % ("lr_mult: 3", ""))
    assert len(twins.learnable) == 1
    assert twins.learnable[0].rate == 3
    assert twins.params["one"][0] is not None
    a, b = np.arange(10, dtype="f").reshape(2, 5), np.ones((2, 5), np.float32)
    twins.run({"a": a, "b": b}).backward()
    expected = np.tile((a + b).sum(axis=0), (5, 1))
    np.testing.assert_allclose(twins.learnable[0].tensor.grad, expected)


def test_shared_parameters_of_other_shapes_need_permission():
    text = TWINS.replace("num_output: 5 bias_term: false }", "num_output: 1 bias_term: false }")
    text = text.replace("dim: 5 } } }", "dim: 5 } shape { dim: 2 dim: 25 } } }").replace(
        '"Eltwise" bottom: "x" bottom: "y"', '"Flatten" bottom: "y"'
    )
    with pytest.raises(NetError, match="shares 'w' of layer 'one', whose shape is .5, 5., not .1, 25."):
        net(text % ("", ""))
    loose = net(text % ("", "share_mode: PERMISSIVE"))
    assert loose.params["two"][0].shape == (1, 25)
    loose.run({"a": np.ones((2, 5), np.float32), "b": np.ones((2, 25), np.float32)}).backward()
    np.testing.assert_allclose(loose.learnable[0].tensor.grad, np.full((5, 5), 2.0))


def test_sharers_that_contradict_each_other():
    with pytest.raises(NetError, match="shares 'w' with lr_mult 2, but layer 'one' says 1"):
        net(TWINS % ("lr_mult: 1", "lr_mult: 2"))


def test_more_param_blocks_than_parameters():
    text = TWINS.replace(
        "%s } inner_product_param {\n  num_output: 5 bias_term: false weight",
        "} param { } inner_product_param {\n  num_output: 5 bias_term: false weight",
        1,
    )
    with pytest.raises(NetError, match="2 param blocks, but the layer has 1 parameters"):
        net(text % "")


def test_x07_more_memory_than_the_machine_has():
    text = """layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
      layer { name: "c" type: "Convolution" bottom: "x" top: "y"
        convolution_param { num_output: 2000000000 kernel_size: 5 } }"""
    with pytest.raises(NetError, match=r"net needs about \d+ GB of memory") as caught:
        net(text)
    assert caught.value.fault == "X07"


def test_x04_unknown_layer_lists_the_known():
    with pytest.raises(NetError, match="layer 'n': type 'BLNN' is not known.*Accuracy.*Concat") as caught:
        net('layer { name: "i" type: "Input" top: "x" } layer { name: "n" type: "BLNN" bottom: "x" top: "y" }')
    assert "--engine caffe" in caught.value.hint


def test_wrong_number_of_bottoms():
    with pytest.raises(NetError, match="layer 'e' .Eltwise.: 1 bottoms, expected at least 2"):
        net('layer { name: "i" type: "Input" top: "x" } layer { name: "e" type: "Eltwise" bottom: "x" top: "y" }')


def test_frozen_parameters_get_no_gradient():
    frozen = net(TWINS % ("lr_mult: 0", ""))
    assert not frozen.learnable[0].tensor.requires_grad


def test_propagate_down_false_stops_the_gradient():
    text = """
    layer { name: "in" type: "Input" top: "a" input_param { shape { dim: 2 dim: 5 } } }
    layer { name: "one" type: "InnerProduct" bottom: "a" top: "x" inner_product_param { num_output: 3 } }
    layer { name: "two" type: "InnerProduct" bottom: "x" top: "y" propagate_down: false loss_weight: 1
      inner_product_param { num_output: 3 } }
    """
    stopped = net(text)
    stopped.run({"a": np.ones((2, 5), np.float32)}).backward()
    assert stopped.params["one"][0].grad is None
    assert stopped.params["two"][0].grad is not None
    forced = net(f"force_backward: true {text}")
    forced.run({"a": np.ones((2, 5), np.float32)}).backward()
    assert forced.params["one"][0].grad is not None


def test_a_loss_that_another_layer_reads_is_learned_from_unlike_in_caffe(caplog):
    text = """
    layer { name: "in" type: "Input" top: "a" input_param { shape { dim: 1 dim: 3 } } }
    layer { name: "w" type: "Parameter" top: "w" parameter_param { shape { dim: 1 dim: 3 } } }
    layer { name: "l" type: "EuclideanLoss" bottom: "w" bottom: "a" top: "l" %s }
    layer { name: "s" type: "Silence" bottom: "l" }
    """
    a = np.array([[1, 2, 3]], np.float32)
    for weight in ("", "loss_weight: 1"):
        caplog.clear()
        one = net(text % weight)
        one.run({"a": a}).backward()
        np.testing.assert_allclose(one.params["w"][0].grad, -a)
        assert ("layer 's' reads 'l', the loss of layer 'l'" in caplog.text) == (not weight)
    caplog.clear()
    net(text % "", phase="TEST")
    assert not caplog.records


def test_weights_of_a_convolution_may_be_those_of_a_matrix():
    text = """
    layer { name: "in" type: "Input" top: "a" top: "b"
      input_param { shape { dim: 1 dim: 3 dim: 2 dim: 2 } shape { dim: 1 dim: 12 } } }
    layer { name: "c" type: "Convolution" bottom: "a" top: "c" param { name: "w" } loss_weight: 1
      convolution_param { num_output: 2 kernel_size: 2 bias_term: false weight_filler { type: "xavier" } } }
    layer { name: "i" type: "InnerProduct" bottom: "b" top: "i" param { name: "w" share_mode: PERMISSIVE }
      loss_weight: 1 inner_product_param { num_output: 2 bias_term: false } }
    """
    one = net(text)
    a = np.arange(12, dtype="f").reshape(1, 3, 2, 2)
    one.run({"a": a, "b": a.reshape(1, 12)}).backward()
    np.testing.assert_allclose(one.blobs["c"].detach().reshape(1, 2), one.blobs["i"].detach(), rtol=1e-5)
    np.testing.assert_allclose(one.learnable[0].tensor.grad, np.tile(2 * a, (2, 1, 1, 1)))


def test_blobs_in_the_prototxt_take_the_fillers_place():
    message = text_format.Parse(TWINS % ("", ""), caffe_pb2.NetParameter())
    weight = np.arange(25, dtype="f").reshape(5, 5)
    message.layer[1].blobs.append(blobproto.from_array(weight))
    filled = Net(build(message, phase="TEST"))
    np.testing.assert_array_equal(filled.params["one"][0], weight)


def test_message_and_copy_from_round_trip():
    first, second = net(TWINS % ("", ""), seed=1), net(TWINS % ("", ""), seed=2)
    assert not torch.equal(first.learnable[0].tensor, second.learnable[0].tensor)
    message = first.message()
    assert [layer.name for layer in message.layer] == ["in", "one", "two", "sum"]
    assert [len(layer.blobs) for layer in message.layer] == [0, 1, 1, 0]
    second.copy_from(message)
    assert torch.equal(first.learnable[0].tensor, second.learnable[0].tensor)


def test_c02_shapes_that_differ():
    message = net(TWINS % ("", "")).message()
    for layer in message.layer[1:3]:
        layer.blobs[0].CopyFrom(blobproto.from_array(np.ones((4, 5), np.float32)))
    with pytest.raises(ModelError, match="one: file 4×5, net 5×5") as caught:
        net(TWINS % ("", "")).copy_from(message)
    assert caught.value.fault == "C02"


@pytest.mark.parametrize(
    ("inputs", "words"),
    [({"c": 0, "a": 0, "b": 0}, "no input 'c'"), ({"a": 0}, "not given its input 'b'")],
)
def test_inputs_that_do_not_fit(inputs, words):
    arrays = {name: np.ones((2, 5), np.float32) for name in inputs}
    with pytest.raises(NetError, match=words):
        net(TWINS % ("", "")).forward(**arrays)


@pytest.mark.parametrize(
    "layer",
    [
        'type: "Crop" bottom: "like" top: "y" crop_param { axis: 2 }',
        'type: "Dropout" top: "y"',
        'type: "Permute" top: "y"',
        'type: "Power" top: "y"',
        'type: "ShuffleChannel" top: "y"',
        'type: "Slice" top: "y" top: "z"',
    ],
    ids=lambda text: text.split('"')[1],
)
def test_what_works_in_place_on_a_copy_leaves_the_bottom_as_it_was(layer):
    made = net(
        f"""layer {{ name: "x" type: "Input" top: "x" top: "like" input_param {{ shape {{ dim: 2 dim: 4 dim: 3 }}
          shape {{ dim: 2 dim: 4 dim: 2 }} }} }}
        layer {{ name: "l" bottom: "x" {layer} }} layer {{ name: "r" type: "ReLU" bottom: "y" top: "y" }}""",
        phase="TEST",
    )
    x = np.random.default_rng(1).normal(size=(2, 4, 3)).astype(np.float32)
    with torch.inference_mode():
        made.run({"x": x, "like": x[..., :2]})
    np.testing.assert_array_equal(made.blobs["x"], x)


def test_a_batch_of_another_size_passes():
    twins = net(TWINS % ("", ""), phase="TEST")
    assert twins.forward(a=np.ones((7, 5), np.float32), b=np.ones((7, 5), np.float32))["sum"].shape == (7, 5)

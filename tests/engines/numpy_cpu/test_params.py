from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import ModelError, NetError
from workflow.formats import blobproto, caffe_pb2

HEAD = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 4 } } }'


def ip(name, bottom, outputs=4, *, param="", bias="false", more=""):
    return f"""layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" {param} {more}
      inner_product_param {{ num_output: {outputs} bias_term: {bias} }} }}"""


def weights(*layers):
    net = caffe_pb2.NetParameter(name="weights")
    for name, *arrays in layers:
        net.layer.add(name=name, blobs=[blobproto.from_array(array) for array in arrays])
    return net


@pytest.fixture
def square(rng):
    return rng.normal(size=(4, 4)).astype("f")


def test_shared_parameters_are_one(a_net, square):
    """Of several copies in a file the last counts, as in Caffe."""
    net = HEAD + ip("a", "data", param='param { name: "w" }') + ip("b", "a", param='param { name: "w" }')
    session = a_net(net, weights(("a", 0 * square), ("b", square)))
    x = np.ones((1, 4), "f")
    np.testing.assert_allclose(session.forward(data=x)["b"], x @ square.T @ square.T, rtol=1e-5)
    assert np.shares_memory(session.params["a"][0], session.params["b"][0])


def test_a_sharer_that_the_file_leaves_out(a_net, square):
    """HDF5 files hold what is shared once, and an empty group for the sharer."""
    net = HEAD + ip("a", "data", param='param { name: "w" }') + ip("b", "a", param='param { name: "w" }')
    session = a_net(net, weights(("a", square), ("b",)))
    np.testing.assert_array_equal(session.params["b"][0], square)


def test_permissive_sharers_keep_their_shapes(a_net, square):
    param = 'param { name: "w" share_mode: PERMISSIVE }'
    net = HEAD + ip("a", "data", 2, param=param) + ip("b", "a", 2, param=param)
    with pytest.raises(NetError, match="shares 'w' of layer 'a', whose shape is"):
        a_net(net, weights(("a", square[:2]), ("b", square[:2])))
    flat = f"""{HEAD} layer {{ name: "a" type: "Scale" bottom: "data" top: "a" {param} }}
      layer {{ name: "s" type: "Reshape" bottom: "a" top: "s" reshape_param {{ shape {{ dim: 2 dim: 2 }} }} }}
      layer {{ name: "b" type: "Scale" bottom: "s" top: "b" {param} scale_param {{ axis: 0 num_axes: 2 }} }}"""
    values = np.arange(4, dtype="f")
    session = a_net(flat, weights(("a", values)))
    assert [array.shape for array in session.params["b"]] == [(2, 2)]
    np.testing.assert_array_equal(session.forward(data=np.ones((1, 4)))["b"], values.reshape(2, 2) ** 2)


def test_strict_sharers_have_one_shape(a_net, square):
    net = HEAD + ip("a", "data", 4, param='param { name: "w" }') + ip("b", "a", 2, param='param { name: "w" }')
    with pytest.raises(NetError, match=r"shares 'w' of layer 'a', whose shape is \(4, 4\), not \(2, 4\)"):
        a_net(net, weights(("a", square)))


def test_more_param_blocks_than_parameters(a_net):
    with pytest.raises(NetError, match="2 param blocks, but the layer has 1 parameters"):
        a_net(HEAD + ip("a", "data", param="param { } param { }"))


def test_blobs_of_the_prototxt_itself(a_net):
    given = "blobs { shape { dim: 1 dim: 4 } data: 1 data: 2 data: 3 data: 4 }"
    session = a_net(HEAD + ip("a", "data", 1, more=given))
    assert session.forward(data=np.ones((1, 4)))["a"] == 10
    with pytest.raises(NetError, match=r"blob 0 of shape \(1, 4\) in the prototxt, expected \(2, 4\)"):
        a_net(HEAD + ip("a", "data", 2, more=given))


def test_weights_beat_the_prototxt(a_net, square):
    given = "blobs { shape { dim: 1 dim: 4 } data: 1 data: 2 data: 3 data: 4 }"
    session = a_net(HEAD + ip("a", "data", 1, more=given), weights(("a", square[:1])))
    np.testing.assert_array_equal(session.params["a"][0], square[:1])


def test_the_first_of_two_layers_of_one_name_gets_the_weights(a_net, square):
    net = HEAD + ip("a", "data") + ip("a", "a").replace('top: "a"', 'top: "b"')
    with pytest.raises(ModelError, match="layer 'a' .InnerProduct. has parameters, but the weights hold none"):
        a_net(net, weights(("a", square)))


def test_no_weights_at_all(a_net):
    with pytest.raises(ModelError, match="layer 'a' .InnerProduct. has parameters, but no weights were given"):
        a_net(HEAD + ip("a", "data"))


def test_c02_weights_of_another_net(a_net, square):
    with pytest.raises(ModelError, match="layer 'a' .* hold none for it; they are for conv1, conv2") as caught:
        a_net(HEAD + ip("a", "data"), weights(("conv1", square), ("conv2", square), ("relu",)))
    assert caught.value.fault == "C02"

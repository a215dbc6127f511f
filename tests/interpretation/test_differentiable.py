"""Gradients of a net, against real Caffe's backward pass and against differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workflow.engines.torch_cpu.passes import gradients
from workflow.errors import NetError, UsageError
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.targets import channels, of_class, unit

BACKWARD = """
from google.protobuf import text_format
message = caffe.proto.caffe_pb2.NetParameter()
text_format.Parse(open('NAME.prototxt').read(), message)
message.force_backward = True
open('forced.prototxt', 'w').write(str(message))
net = caffe.Net('forced.prototxt', 'NAME.caffemodel', caffe.TEST)
net.blobs['data'].reshape(*given['x'].shape)
net.forward(data=given['x'])
scores = str(given['scores'])
for blob in net.blobs.values():
    blob.diff[...] = 0
net.blobs[scores].diff[:, int(given['index'])] = 1
top = [name for name, tops in net.top_names.items() if scores in tops][-1]
net.backward(start=top)
for name, blob in net.blobs.items():
    result['diff ' + name] = blob.diff
    result['data ' + name] = blob.data
"""


@pytest.mark.caffe
@pytest.mark.parametrize("name", ["cifar10_quick", "cifar10_full", "lenet"])
def test_gradients_are_real_caffes(name, model, picture, real_caffe):
    net = Differentiable(model(name))
    x = net.blob([net.model.read(picture)]).repeat(2, 1, 1, 1)
    x[1] = x[1].flip(-1)
    target = of_class(net, "3")
    run = net.run(x.clone().requires_grad_())
    found = gradients(run, target.value(run).sum(), [name for name in net.names if name != "prob"], before=True)
    theirs = real_caffe(
        BACKWARD.replace("NAME", name), x=x.numpy(), scores=np.array(net.scores()), index=np.array(target.channel)
    )
    for blob, gradient in found.items():
        expected = theirs[f"diff {blob}"]
        scale = np.abs(expected).max()
        assert scale > 0, blob
        np.testing.assert_allclose(gradient.detach().numpy(), expected, rtol=0, atol=1e-5 * scale, err_msg=blob)
        shown = theirs[f"data {blob}"]
        np.testing.assert_allclose(
            run.blobs[blob].detach().numpy(), shown, rtol=0, atol=1e-5 * np.abs(shown).max(), err_msg=blob
        )


def test_before_and_behind_a_relu_in_place(model, picture):
    net = Differentiable(model("cifar10_quick"))
    run = net.run(net.blob([net.model.read(picture)]))
    assert float(run.before["conv2"].min()) < 0
    assert float(run.blobs["conv2"].min()) == 0
    assert float(run.blobs["conv1"].min()) < 0


def test_it_stops_where_it_is_told(model, picture):
    net = Differentiable(model("cifar10_quick"))
    run = net.run(net.blob([net.model.read(picture)]), until=("conv2",))
    assert "pool2" not in run.blobs
    assert float(run.blobs["conv2"].min()) == 0  # the ReLU in place is part of it


ARGMAX = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: "best" type: "ArgMax" bottom: "conv" top: "best" argmax_param { axis: 1 } }
layer { name: "ip" type: "InnerProduct" bottom: "best" top: "ip" inner_product_param { num_output: 5 } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""


def test_a_layer_that_cannot_be_differentiated_is_named(model):
    net = Differentiable(model("argmax", ARGMAX))
    run = net.run(torch.ones(1, 3, 8, 8).requires_grad_())
    with pytest.raises(NetError, match=r"layer 'best' \(ArgMax\) cannot be differentiated"):
        of_class(net, "2").value(run)
    assert unit(net, "conv:1").value(run).requires_grad


def test_targets(model):
    net = Differentiable(model("cifar10_quick"))
    assert [one.name for one in channels(net, "conv3")][:2] == ["conv3:0", "conv3:1"]
    assert len(channels(net, "ip1")) == 64
    assert unit(net, "conv3:5,2,7").place == (2, 7)
    assert of_class(net, "9").channel == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("conv3", "is not a unit"),
        ("conv4:1", "no blob 'conv4'"),
        ("conv3:64", "has 64 channels, from 0; got 64"),
        ("conv3:1,8,0", "8 rows and 8 columns"),
        ("ip1:1,0,0", "no rows and columns"),
    ],
)
def test_units_that_are_not_there(model, text, message):
    net = Differentiable(model("cifar10_quick"))
    with pytest.raises(UsageError, match=message):
        unit(net, text)


def test_no_such_class(model):
    with pytest.raises(UsageError, match="no class 'cat'"):
        of_class(Differentiable(model("lenet")), "cat")

"""Maps of a picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workflow.engines.torch_cpu.passes import gradients
from workflow.errors import NetError, UsageError
from workflow.interpretation.attribution import faithfulness
from workflow.interpretation.attribution.explain import explain
from workflow.interpretation.attribution.maps import Options, known, methods
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.targets import Score, of_class

ALL = {
    "deconvolution",
    "grad-cam",
    "guided-backpropagation",
    "integrated-gradients",
    "occlusion",
    "saliency",
    "smoothgrad",
}


@pytest.mark.parametrize("name", ["cifar10_full", "lenet"])
def test_every_method_on_every_net(name, model, picture):
    found = explain(model(name), picture)
    assert {one.method for one in found.maps} == ALL == set(methods())
    side = 28 if name == "lenet" else 32
    for one in (*found.maps, found.baseline):
        assert one.heat.shape == (side, side)
        assert np.isfinite(one.heat).all()
        assert np.ptp(one.heat) > 0
        assert one.deletion_curve[0] == pytest.approx(found.value, abs=1e-5)
        assert one.insertion_curve[-1] == pytest.approx(found.value, abs=1e-5)
    document = found.json()
    assert document["class"] == document["target"]
    assert document["deletion"] == min(one["deletion"] for one in document["maps"])


def test_saliency_is_the_gradient(model, picture):
    net = Differentiable(model("cifar10_quick"))
    x = net.blob([net.model.read(picture)])
    target = of_class(net, "4")
    run = net.run(x.clone().requires_grad_())
    expected = gradients(run, target.value(run).sum(), ["data"])["data"]
    torch.testing.assert_close(known("saliency")(Score(net, target), x), expected, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["saliency", "smoothgrad", "guided-backpropagation", "deconvolution"])
def test_the_heat_of_an_unsigned_map_is_a_magnitude_in_grey_nets_too(name, model, picture):
    """Colour and grey nets alike: a strong negative gradient is as hot as a positive one."""
    for net_name in ("lenet", "cifar10_quick"):
        net = Differentiable(model(net_name))
        x = net.blob([net.model.read(picture)])
        values = known(name)(Score(net, of_class(net, "4")), x, Options(seed=1))
        assert (values < 0).any()
        expected = np.abs(values.numpy()).max(axis=1)
        np.testing.assert_array_equal(known(name).heat(values).numpy(), expected)


def test_integrated_gradients_are_complete(model, picture):
    for name in ("cifar10_quick", "cifar10_full", "lenet"):
        (one,) = explain(model(name), picture, names=["integrated-gradients"], class_name="2").maps
        assert one.incompleteness is not None
        assert one.incompleteness <= 0.01


def test_grad_cam_by_hand(model, picture):
    net = Differentiable(model("cifar10_quick"))
    x = net.blob([net.model.read(picture)])
    target = of_class(net, "4")
    run = net.run(x.clone().requires_grad_())
    gradient = gradients(run, target.value(run).sum(), ["conv2"])["conv2"]
    expected = (gradient.mean((2, 3), keepdim=True) * run.blobs["conv2"]).sum(1, keepdim=True).relu()
    expected = torch.nn.functional.interpolate(expected, size=(32, 32), mode="bilinear", align_corners=False)
    found = known("grad-cam")(Score(net, target), x, Options(layer="conv2"))
    torch.testing.assert_close(found, expected.detach())


def test_occlusion_falls_where_the_covered_window_counts(model, picture):
    net = Differentiable(model("lenet"))
    x = net.blob([net.model.read(picture)])
    target = of_class(net, "5")
    heat = known("occlusion").heat(known("occlusion")(Score(net, target), x))[0]
    covered = x.clone()
    covered[..., :5, :5] = 0
    with torch.no_grad():
        fall = float(target.value(net.run(x)) - target.value(net.run(covered)))
    assert float(heat[0, 0]) == pytest.approx(fall, abs=1e-4)  # the corner lies in one window alone


def test_the_true_order_beats_its_reverse(model, picture):
    net = Differentiable(model("cifar10_full"))
    x = net.blob([net.model.read(picture)])
    target = of_class(net, net.model.class_name(int(net(x).flatten(1).argmax())))
    heat = known("integrated-gradients").heat(known("integrated-gradients")(Score(net, target), x))
    watched = faithfulness.watch(net, target, x)
    good, bad = faithfulness.measure(watched, x, heat), faithfulness.measure(watched, x, -heat)
    assert good.deletion_area[0] < bad.deletion_area[0]
    assert good.insertion_area[0] > bad.insertion_area[0]


def test_a_unit(model, picture):
    net = Differentiable(model("cifar10_full"))
    with torch.no_grad():
        conv2 = net.run(net.blob([net.model.read(picture)]), until=("conv2",)).blobs["conv2"]
    name = f"conv2:{int(conv2[0, :, 6, 5].argmax())},6,5"  # one that fires
    found = explain(net.model, picture, unit_name=name, names=["saliency"])
    assert found.json()["unit"] == name
    assert (found.maps[0].heat[:4] == 0).all()  # outside the unit's receptive field
    assert (found.maps[0].heat[4:] != 0).any()


def test_what_is_not_there(model, picture):
    with pytest.raises(UsageError, match="no method 'gradcam'"):
        explain(model("lenet"), picture, names=["gradcam"])
    with pytest.raises(UsageError, match="does not depend"):
        explain(model("lenet"), picture, unit_name="conv1:1", options=Options(layer="conv2"), names=["grad-cam"])
    with pytest.raises(UsageError, match="has no map"):
        explain(model("lenet"), picture, options=Options(layer="ip1"), names=["grad-cam"])


def test_a_net_that_does_not_end_in_classes(model, picture):
    deploy = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 4 kernel_size: 3 } }"""
    with pytest.raises(NetError, match="expected one number for each class"):
        explain(model("open", deploy), picture)

"""Nets as ONNX, run by onnxruntime."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from workflow import pycaffe
from workflow.config import Config
from workflow.errors import NetError
from workflow.export.layers import types
from workflow.export.onnx_file import export_onnx
from workflow.models.loading import load
from workflow.models.model import Model

onnx = pytest.importorskip("onnx", reason="needs the packages onnx and onnxruntime: pip install 'wf[export]'")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the package onnxruntime: pip install 'wf[export]'")

ROOT = Path(__file__).parents[2]
INPUT = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 11 dim: 9 } } }\n'
CONV = 'layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 6 kernel_size: 3 '
FILL = 'weight_filler { type: "gaussian" std: 0.3 } bias_filler { type: "gaussian" std: 0.3 } } }\n'


def one(kind: str, param: str = "", bottom: str = '"c"', top: str = '"t"') -> str:
    bottoms = " ".join(f"bottom: {name}" for name in bottom.split())
    tops = " ".join(f"top: {name}" for name in top.split())
    return f'layer {{ name: "x" type: "{kind}" {bottoms} {tops} {param} }}'


CASES = {
    "Convolution": one("Convolution", "convolution_param { num_output: 4 kernel_h: 3 kernel_w: 2 stride_h: 2 "
                       "stride_w: 1 pad_h: 1 pad_w: 0 group: 2 " + FILL[:-3]),
    "Convolution dilated": one("Convolution", "convolution_param { num_output: 4 kernel_size: 3 dilation: 2 pad: 1 "
                               "bias_term: false " + FILL[:-3]),
    "Deconvolution": one("Deconvolution", "convolution_param { num_output: 6 kernel_size: 3 stride: 2 pad: 1 group: 3 "
                         + FILL[:-3]),
    "Pooling MAX": one("Pooling", "pooling_param { pool: MAX kernel_size: 3 stride: 2 pad: 1 }"),
    "Pooling MAX odd": one("Pooling", "pooling_param { pool: MAX kernel_h: 2 kernel_w: 3 stride_h: 2 stride_w: 3 }"),
    "Pooling AVE": one("Pooling", "pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }"),
    "Pooling AVE odd": one("Pooling", "pooling_param { pool: AVE kernel_size: 4 stride: 3 }"),
    "Pooling global": one("Pooling", "pooling_param { pool: AVE global_pooling: true }"),
    "LRN": one("LRN", "lrn_param { local_size: 3 alpha: 0.5 beta: 0.6 k: 1.5 }"),
    "LRN within": one("LRN", "lrn_param { local_size: 3 alpha: 0.5 beta: 0.6 norm_region: WITHIN_CHANNEL }"),
    "InnerProduct": one("InnerProduct", "inner_product_param { num_output: 5 " + FILL[:-3]),
    "InnerProduct axis": one("InnerProduct", "inner_product_param { num_output: 5 axis: 3 transpose: true "
                             + FILL[:-3]),
    "ReLU": one("ReLU"),
    "ReLU slope": one("ReLU", "relu_param { negative_slope: 0.2 }"),
    "ReLU6": one("ReLU6"),
    "PReLU": one("PReLU", 'prelu_param { filler { type: "gaussian" std: 0.5 } }'),
    "PReLU shared": one("PReLU", "prelu_param { channel_shared: true }"),
    "ELU": one("ELU", "elu_param { alpha: 0.7 }"),
    "Sigmoid": one("Sigmoid"),
    "TanH": one("TanH"),
    "AbsVal": one("AbsVal"),
    "BNLL": one("BNLL"),
    "Dropout": one("Dropout"),
    "Power": one("Power", "power_param { power: 2 scale: 0.5 shift: 1 }"),
    "Exp": one("Exp", "exp_param { base: 2 scale: 0.01 shift: 0.5 }"),
    "Log": one("AbsVal", top='"a"')
    + one("Log", "log_param { base: 10 scale: 0.5 shift: 1 }", '"a"').replace('"x"', '"y"'),
    "BatchNorm": one("BatchNorm"),
    "Scale": one("Scale", 'scale_param { bias_term: true filler { type: "gaussian" std: 1 } '
                 'bias_filler { type: "gaussian" std: 1 } }'),
    "Scale rows": one("Scale", 'scale_param { axis: 2 num_axes: 1 filler { type: "gaussian" std: 1 } }'),
    "Bias": one("Bias", 'bias_param { filler { type: "gaussian" std: 1 } }'),
    "Concat": one("Concat", "concat_param { axis: 2 }", '"c" "c"'),
    "Slice": one("Slice", "slice_param { axis: 1 slice_point: 2 }", top='"t" "u"'),
    "Eltwise SUM": one("Eltwise", "eltwise_param { coeff: 1 coeff: -0.5 }", '"c" "c"'),
    "Eltwise PROD": one("Eltwise", "eltwise_param { operation: PROD }", '"c" "c" "c"'),
    "Eltwise MAX": one("Eltwise", "eltwise_param { operation: MAX }", '"c" "c"'),
    "Softmax": one("Softmax", "softmax_param { axis: 1 }"),
    "Permute": one("Permute", "permute_param { order: [0, 2, 3, 1] }"),
    "Flatten": one("Flatten"),
    "Reshape": one("Reshape", "reshape_param { shape { dim: 0 dim: 2 dim: -1 } }"),
    "in place": one("ReLU", top='"c"') + one("Sigmoid", top='"s"').replace('"x"', '"y"'),
}  # fmt: skip


def opened(project: Path, text: str) -> Model:
    net = project / "net.prototxt"
    net.write_text(text)
    pycaffe.set_random_seed(4)
    made = pycaffe.Net(net, pycaffe.TEST)
    rng = np.random.default_rng(8)
    for layer in made.layers:
        if layer.type == "BatchNorm":
            mean, variance, factor = layer.blobs
            mean.data[...] = rng.normal(size=mean.data.shape)
            variance.data[...] = rng.uniform(0.5, 2, variance.data.shape)
            factor.data[...] = 2
    made.save(project / "net.caffemodel")
    grey = made.blobs["data"].channels == 1
    order = "GRAY" if grey else "RGB"
    return load(Config(), snapshot="net.caffemodel", net=net, mean="120" if grey else "104,117,123", scale=0.01,
                channel_order=order)  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_layer(name, project):
    model = opened(project, INPUT + CONV + FILL + CASES[name])
    assert export_onnx(model, project / "net.onnx") <= 1e-5


def test_every_translated_layer_is_tested():
    tested = {name.partition(" ")[0] for name in CASES}
    assert set(types()) - tested == {"Split", "Silence"}  # Split stands wherever a blob is read twice


@pytest.mark.parametrize("name", ["cifar10_quick", "cifar10_full", "lenet"])
def test_the_packaged_nets(name, project):
    text = (ROOT / "prototxt" / f"{name}_deploy.prototxt").read_text()
    model = opened(project, text)
    export_onnx(model, project / "net.onnx")
    written = onnx.load(project / "net.onnx")
    words = {one.key: one.value for one in written.metadata_props}
    assert json.loads(words["preprocessing"])["channel_order"] == model.preprocessing.channel_order
    assert words["snapshot"] == "net.caffemodel"
    running = onnxruntime.InferenceSession(project / "net.onnx", providers=["CPUExecutionProvider"])
    assert running.get_inputs()[0].shape[0] == "N"
    assert running.run(None, {"data": np.zeros((5, *running.get_inputs()[0].shape[1:]), np.float32)})[0].shape == (
        5,
        10,
    )
    values = {name for node in written.graph.node for name in node.output}
    assert {"conv1", "pool1", "conv2", "prob"} <= values


def test_real_weights(project, shared_data):
    folder = shared_data / "models" / "cifar10_quick_v2_simshang"
    for file in ("cifar10_quick.prototxt", "cifar10_quick_iter_5000.caffemodel", "mean.binaryproto"):
        shutil.copy(folder / file, project / file)
    model = load(
        Config(),
        snapshot="cifar10_quick_iter_5000.caffemodel",
        net=project / "cifar10_quick.prototxt",
        mean="mean.binaryproto",
    )
    assert export_onnx(model, project / "net.onnx") <= 1e-5


def test_what_onnx_does_not_express_is_named(project):
    model = opened(project, INPUT + CONV + FILL + one("MVN"))
    with pytest.raises(NetError, match=r"layer 'x' \(MVN\) cannot be written as ONNX"):
        export_onnx(model, project / "net.onnx")
    assert not (project / "net.onnx").exists()

"""Python layers: the same module under real Caffe and under ours, and what is said about modules that fail."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from google.protobuf import text_format
from one_layer import make

from workflow.engines.torch_cpu import Net
from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.layers.blob import Blob
from workflow.net.build import build

MODULE = """
import caffe
import numpy as np


class Squares(caffe.Layer):
    '''Half the summed squares of differences, and the differences; counts its calls.'''

    def setup(self, bottom, top):
        if len(bottom) != 2:
            raise Exception('need two inputs')
        self.factor = float(self.param_str or 1)

    def reshape(self, bottom, top):
        if bottom[0].count != bottom[1].count:
            raise ValueError('inputs of %d and %d numbers' % (bottom[0].count, bottom[1].count))
        self.diff = np.zeros_like(bottom[0].data, dtype=np.float32)
        top[0].reshape(1)
        top[1].reshape(*bottom[0].data.shape)

    def forward(self, bottom, top):
        self.diff[...] = bottom[0].data - bottom[1].data
        top[0].data[...] = self.factor * np.sum(self.diff ** 2) / bottom[0].num / 2.
        top[1].data[...] = self.diff + self.phase

    def backward(self, top, propagate_down, bottom):
        for i, sign in enumerate((1, -1)):
            if propagate_down[i]:
                own = self.factor * top[0].diff[0] * self.diff / bottom[i].num
                bottom[i].diff[...] = sign * (own + top[1].diff)


class Gain(caffe.Layer):
    '''y = w x with learned w; in place if asked so.'''

    def setup(self, bottom, top):
        self.blobs.add_blob(1, bottom[0].channels)
        self.blobs[0].data[...] = np.arange(bottom[0].channels) + 2

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom, top):
        self.x = bottom[0].data.copy()
        top[0].data[...] = bottom[0].data * self.blobs[0].data.reshape(1, -1, 1, 1)

    def backward(self, top, propagate_down, bottom):
        self.blobs[0].diff[0] += (top[0].diff * self.x).sum(axis=(0, 2, 3))
        if propagate_down[0]:
            bottom[0].diff[...] = top[0].diff * self.blobs[0].data.reshape(1, -1, 1, 1)


class Counter(caffe.Layer):
    def setup(self, bottom, top):
        self.count = 0

    def reshape(self, bottom, top):
        top[0].reshape(2, 3)

    def forward(self, bottom, top):
        self.count += 1
        top[0].data[...] = self.count

    def backward(self, top, propagate_down, bottom):
        pass
"""
NET = """
force_backward: true
layer { name: "a" type: "Input" top: "a" input_param { shape { dim: 2 dim: 3 dim: 4 dim: 5 } } }
layer { name: "b" type: "Input" top: "b" input_param { shape { dim: 2 dim: 3 dim: 4 dim: 5 } } }
layer { name: "count" type: "Python" top: "n" python_param { module: "mine" layer: "Counter" } }
layer { name: "gain" type: "Python" bottom: "a" top: "g" python_param { module: "mine" layer: "Gain" } }
layer { name: "again" type: "Python" bottom: "g" top: "g" python_param { module: "mine" layer: "Gain" } }
layer { name: "squares" type: "Python" bottom: "g" bottom: "b" top: "loss" top: "d" loss_weight: 1 loss_weight: 0.5
  python_param { module: "mine" layer: "Squares" param_str: "0.25" } }
"""
RNG = np.random.default_rng(9)
A, B = (RNG.normal(size=(2, 3, 4, 5)).astype("f") for _ in range(2))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine.py").write_text(MODULE)
    return tmp_path


def net(folder, text=NET, **options):
    return Net(build(text_format.Parse(text, caffe_pb2.NetParameter()), phase="TEST"), folder=folder, **options)


def ours(folder):
    one = net(folder)
    one.run({"a": A, "b": B})
    one.layers[3].blobs[0].requires_grad_()
    one.layers[4].blobs[0].requires_grad_()
    one.run({"a": A, "b": B}).backward()
    tops = {name: one.blobs[name].detach().numpy() for name in ("n", "g", "loss", "d")}
    return one, tops | {name: one.params[name][0].grad.numpy() for name in ("gain", "again")}


@pytest.mark.caffe
def test_the_same_module_under_real_caffe(folder, real_caffe):
    (folder / "net.prototxt").write_text(NET)
    theirs = real_caffe(
        """
sys.path.insert(0, '.')
net = caffe.Net('net.prototxt', caffe.TEST)
net.forward(a=given['a'], b=given['b'])
net.forward(a=given['a'], b=given['b'])
for name in ('n', 'g', 'loss', 'd'):
    result[name] = net.blobs[name].data.copy()
net.backward()
for name in ('gain', 'again'):
    result[name] = net.params[name][0].diff.copy()
""",
        a=A,
        b=B,
    )
    _, found = ours(folder)
    assert set(found) == set(theirs)
    for name, array in found.items():
        np.testing.assert_allclose(array, theirs[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_values_and_gradients_on_paper(folder):
    one, found = ours(folder)
    w = np.arange(3, dtype="f").reshape(1, 3, 1, 1) + 2
    difference = A * w * w - B
    np.testing.assert_allclose(found["d"], difference + 1, rtol=1e-5)  # phase is 1 in TEST phase
    np.testing.assert_allclose(found["loss"], [0.25 * (difference**2).sum() / 4], rtol=1e-5)
    top = 0.25 * difference / 2 + 0.5
    np.testing.assert_allclose(found["again"][0], (top * A * w).sum(axis=(0, 2, 3)), rtol=1e-4)
    np.testing.assert_allclose(found["gain"][0], (top * w * A).sum(axis=(0, 2, 3)), rtol=1e-4)
    assert found["n"].tolist() == [[2] * 3] * 2
    np.testing.assert_array_equal(one.params["gain"][0].detach(), [[2, 3, 4]])


def test_parameters_are_the_nets_own(folder):
    one = net(folder)
    saved = one.message()
    with torch.no_grad():
        one.params["gain"][0].fill_(7)
    one.run({"a": A, "b": B})
    scaled = A * 7 * (np.arange(3, dtype="f").reshape(1, 3, 1, 1) + 2)
    np.testing.assert_allclose(one.blobs["g"].numpy(), scaled, rtol=1e-6)
    one.copy_from(saved)
    np.testing.assert_array_equal(one.params["gain"][0], [[2, 3, 4]])


def one(layer="Squares", bottoms="ab", folder=None, module="mine"):
    wires = " ".join(f'bottom: "{name}"' for name in bottoms)
    tops, param = 'top: "y" top: "d"', f'module: "{module}" layer: "{layer}"'
    return make(f'name: "p" type: "Python" {wires} {tops} python_param {{ {param} }}', folder=folder)


def test_a_module_that_is_not_there(folder):
    with pytest.raises(NetError, match="module 'other' cannot be imported: ModuleNotFoundError") as caught:
        one(folder=folder, module="other")
    assert str(folder.resolve()) in caught.value.hint


def test_a_class_that_is_not_there(folder):
    with pytest.raises(NetError, match="module 'mine' has no class 'Square'") as caught:
        one("Square", folder=folder)
    assert "Squares" in caught.value.hint


@pytest.mark.parametrize(
    ("source", "words", "line"),
    [
        ("x = 1\ny = x / 0\n", "module 'bad' cannot be imported: ZeroDivisionError", 2),
        ("def broken(:\n", "module 'bad' cannot be imported: SyntaxError", 0),
        ("class Squares:\n    pass\n", "takes no arguments", 0),
        ("import caffe\n\n\nclass Squares(caffe.Layer):\n    pass\n", "has no setup", 0),
        (
            "import caffe\n\n\nclass Squares(caffe.Layer):\n    def setup(self, bottom, top):\n        bottom[5]\n",
            r"class 'Squares'\): setup\(\): IndexError",
            6,
        ),
    ],
)
def test_code_that_fails_is_told_with_its_line(folder, source, words, line):
    (folder / "bad.py").write_text(source)
    sys.modules.pop("bad", None)
    with pytest.raises(NetError, match=words) as caught:
        one(folder=folder, module="bad").top_shapes((2, 3), (2, 3))
    if line:
        assert (caught.value.at.path.name, caught.value.at.line) == ("bad.py", line)


def test_what_the_class_itself_refuses(folder):
    with pytest.raises(NetError, match="need two inputs"):
        one(bottoms="a", folder=folder).top_shapes((2, 3))
    layer = one(folder=folder)
    assert layer.top_shapes((2, 3), (3, 2)) == [(1,), (2, 3)]
    with pytest.raises(NetError, match="inputs of 6 and 8 numbers"):
        layer.top_shapes((2, 3), (2, 4))


def test_names_that_are_missing(folder):
    with pytest.raises(NetError, match="module 'mine' and layer '', expected the names of both"):
        one("", folder=folder)


def test_each_project_has_its_own_module(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "mine.py").write_text(MODULE.replace("self.factor * np.sum", "100 + self.factor * np.sum"))
    x = torch.zeros(2, 3)
    assert one(folder=folder).forward(x, x)[0].tolist() == [0]
    assert one(folder=other).forward(x, x)[0].tolist() == [100]
    assert one(folder=folder).forward(x, x)[0].tolist() == [0]
    assert str(folder) not in sys.path


def test_blobs_keep_what_fits_when_they_get_another_shape():
    blob = Blob.zeros((2, 3))
    blob.data[...] = np.arange(6).reshape(2, 3)
    blob.reshape(4)
    assert blob.data.tolist() == [0, 1, 2, 3]
    blob.reshape(3, 2)
    assert blob.data.tolist() == [[0, 1], [2, 3], [4, 5]]
    blob.reshape(7)
    assert (blob.data.any(), blob.num, blob.channels, blob.count) == (False, 7, 1, 7)
    with pytest.raises(NetError, match="sizes of at least 0"):
        blob.reshape(-1)


def test_blobs_of_more_than_four_axes():
    blob = Blob.zeros((2, 3, 1, 4, 5))
    assert (blob.shape, blob.count) == ((2, 3, 1, 4, 5), 120)
    with pytest.raises(ValueError, match="5 axes; use `shape`"):  # as pycaffe's CHECK does, which ends the process
        _ = blob.num


@pytest.mark.parametrize("shape", [(1, 2, 3, 4), (1, 2, 3, 4, 5)])
def test_parameters_of_four_and_five_axes(tmp_path, shape):
    (tmp_path / "mine.py").write_text(f"""
import caffe
class Sum(caffe.Layer):
    def setup(self, bottom, top):
        self.blobs.add_blob{shape}
        self.blobs[0].data[...] = 3
    def reshape(self, bottom, top):
        top[0].reshape{shape}
    def forward(self, bottom, top):
        top[0].data[...] = self.blobs[0].data * bottom[0].data.sum()
    def backward(self, top, propagate_down, bottom):
        pass
""")
    text = """layer { name: "a" type: "Input" top: "a" input_param { shape { dim: 2 } } }
        layer { name: "sum" type: "Python" bottom: "a" top: "sum" python_param { module: "mine" layer: "Sum" } }"""
    one = net(tmp_path, text)
    assert one.params["sum"][0].is_contiguous()
    np.testing.assert_array_equal(one.forward(a=np.array([1, 1], "f"))["sum"], np.full(shape, 6))


def test_a_prototxt_may_bring_the_parameters(folder):
    keep = "self.blobs or self.blobs.add_blob"
    source = MODULE.replace("self.blobs.add_blob", keep).replace("self.blobs[0].data[...] = np.arange", "_ = np.arange")
    (folder / "mine.py").write_text(source)
    brought = 'bottom: "a" top: "g" blobs { shape { dim: 1 dim: 3 } data: [1, 8, 9] }'
    one = net(folder, NET.replace('bottom: "a" top: "g"', brought))
    np.testing.assert_array_equal(one.params["gain"][0].detach(), [[1, 8, 9]])
    np.testing.assert_array_equal(one.params["again"][0].detach(), [[0, 0, 0]])

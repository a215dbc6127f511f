"""What a script's own passes and writes leave behind, beside real Caffe's."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from PIL import Image
from test_scripts import assert_same, run_ours

from workflow import pycaffe
from workflow.errors import NetError
from workflow.formats import caffe_pb2, datum, lmdb

TRAINED = """
name: "numbers"
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN }
  data_param { source: "numbers" batch_size: 2 backend: LMDB } }
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST }
  data_param { source: "numbers" batch_size: 3 backend: LMDB } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 9 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
SOLVER = """
net: "numbers.prototxt" test_iter: 1 test_interval: 2 base_lr: 1e-4 lr_policy: "fixed" max_iter: 9 iter_size: 2
snapshot_prefix: "run"
"""
READING_ON = """
solver = caffe.SGDSolver('solver.prototxt')
train, test, seen = solver.net, solver.test_nets[0], []
for turn in range(4):
    solver.step(1)
    seen += [train.blobs['label'].data.copy(), test.blobs['label'].data.copy()]
    train.forward()
    seen += [train.blobs['label'].data.copy()]
    test.forward()
    seen += [test.blobs['label'].data.copy()]
solver.snapshot()
solver.restore('run_iter_4.solverstate')
train.forward()
result['labels'] = np.concatenate(seen + [train.blobs['label'].data])
"""
CONSTANT = """
layer { name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param { shape { dim: 2 dim: 3 } shape { dim: 2 }
  data_filler { type: "constant" value: 2 } data_filler { type: "constant" value: 1 } } }
layer { name: "twice" type: "Power" bottom: "data" top: "twice" power_param { scale: 2 } }
layer { name: "label_once_more" type: "Power" bottom: "label" top: "out" }
"""
CONSTANTS = """
net = caffe.Net('constant.prototxt', caffe.TEST)
result['before'] = net.blobs['data'].data.copy()
result['from the middle'] = net.forward(start='label_once_more')['out'].copy()
result['filled'] = net.forward()['twice'].copy()
net.blobs['data'].data[...] = given['numbers']
result['written'] = net.forward()['twice'].copy()
net.blobs['data'].reshape(1, 3)
net.reshape()
result['one'] = net.forward()['twice'].copy()
"""
OWN_MODULE = """
import caffe

class Busy(caffe.Layer):
    def setup(self, bottom, top):
        self.blobs.add_blob(1)
        self.turn = 0
    def reshape(self, bottom, top):
        self.turn += 1
        top[0].reshape(*bottom[0].shape)
    def forward(self, bottom, top):
        top[0].data[...] += self.turn + bottom[0].data
        bottom[0].data[0] = 5
        if self.turn == 5:
            raise StopIteration('enough')
    def backward(self, top, propagate_down, bottom):
        self.blobs[0].diff[0] = self.turn
        bottom[0].diff[...] += top[0].diff
"""
OWN = """
force_backward: true
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 3 } } }
layer { name: "busy" type: "Python" bottom: "data" top: "sum" python_param { module: "busy_layer" layer: "Busy" } }
layer { name: "out" type: "Power" bottom: "sum" top: "out" }
"""
OWN_LAYER = """
net = caffe.Net('own.prototxt', caffe.TEST)
for turn in range(2):
    result['out %d' % turn] = net.forward()['out'].copy()
    result['data %d' % turn] = net.blobs['data'].data.copy()
    result['diff %d' % turn] = net.backward(out=np.ones(3))['data'].copy()
    result['own diff %d' % turn] = net.params['busy'][0].diff.copy()
net.blobs['sum'].data[...] = 100
net.reshape()
try:
    net.forward()
except StopIteration as error:
    result['told'] = np.array(str(error))
result['left'] = net.blobs['sum'].data
"""
RESHAPED = """
net = caffe.Net('numbers.prototxt', caffe.TEST)
net.params['ip'][0].data[...] = given['weights']
net.params['ip'][0].reshape(9, 3, 2, 2)
net.save('reshaped.caffemodel')
message = caffe.proto.caffe_pb2.NetParameter()
with open('reshaped.caffemodel', 'rb') as file:
    message.ParseFromString(file.read())
blob = [layer for layer in message.layer if layer.name == 'ip'][0].blobs[0]
result['shape'] = np.array(blob.shape.dim)
result['weights'] = np.array(blob.data)
"""


@pytest.fixture
def given(project: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    monkeypatch.syspath_prepend(str(project))
    rng = np.random.default_rng(4)
    with lmdb.Writer(project / "numbers") as writer:
        for index in range(7):
            writer.put(b"%d" % index, datum.encode(rng.integers(0, 256, (3, 2, 2), dtype=np.uint8), index))
    files = {"numbers.prototxt": TRAINED, "solver.prototxt": SOLVER, "constant.prototxt": CONSTANT} | {
        "own.prototxt": OWN,
        "busy_layer.py": OWN_MODULE,
    }
    for name, text in files.items():
        (project / name).write_text(text)
    return {
        "numbers": rng.normal(size=(2, 3)).astype(np.float32),
        "weights": rng.normal(size=(9, 12)).astype(np.float32),
    }


@pytest.mark.caffe
@pytest.mark.parametrize("script", [READING_ON, CONSTANTS, OWN_LAYER, RESHAPED], ids=["read", "const", "own", "shape"])
def test_the_same_is_left(script, given, real_caffe):
    assert_same(run_ours(script, given), real_caffe(script, **given))


def test_data_layers_read_on(given):
    """Steps take two batches of two, tests one of three, and so do a script's own passes between them."""
    labels = run_ours(READING_ON, given)["labels"].tolist()
    assert labels[:10] == [2, 3, 0, 1, 2, 4, 5, 3, 4, 5]
    assert labels[10:12] == [1, 2]


def test_constants_of_a_script_stay(given):
    found = run_ours(CONSTANTS, given)
    np.testing.assert_array_equal(found["before"], np.full((2, 3), 2))
    np.testing.assert_allclose(found["written"], 2 * given["numbers"])
    assert found["one"].shape == (1, 3)


def test_a_class_of_the_users_works_on_the_nets_own_blobs(given):
    found = run_ours(OWN_LAYER, given)
    assert found["data 0"].tolist() == [5, 0, 0]
    assert found["own diff 1"].tolist() == [3]
    assert found["told"] == "enough"


SPECIAL = """
for name in ('relu', 'leaky', 'max', 'max_padded', 'pyramid', 'root', 'ave_outside', 'ave_behind'):
    net = caffe.Net(name + '.prototxt', caffe.TEST)
    net.blobs['x'].data[...] = given['ave' if 'ave' in name else 'special']
    net.forward()
    result[name] = net.blobs['y'].data.copy()
    if 'm' in net.blobs:
        result[name + ' places'] = net.blobs['m'].data.copy()
"""


@pytest.mark.caffe
def test_nan_infinities_and_windows_outside(project, real_caffe):
    """As the formulas give; compared bit by bit, but for which NaN it is."""
    layers = {
        "relu": '"ReLU"',
        "leaky": '"ReLU" relu_param { negative_slope: 0.5 }',
        "max": '"Pooling" top: "m" pooling_param { kernel_size: 2 stride: 2 }',
        "max_padded": '"Pooling" top: "m" pooling_param { kernel_size: 3 stride: 1 pad: 1 }',
        "pyramid": '"SPP" spp_param { pyramid_height: 2 }',
        "root": '"Power" power_param { power: 0.5 }',
        "ave_outside": '"Pooling" pooling_param { pool: AVE kernel_size: 1 stride: 3 }',
        "ave_behind": '"Pooling" pooling_param { pool: AVE kernel_h: 1 kernel_w: 2 stride: 5 }',
    }
    sizes = {name: "dim: 5 dim: 4" if "ave" in name else "dim: 4 dim: 6" for name in layers}
    for name, layer in layers.items():
        layer = (
            layer.replace(" top", ' bottom: "x" top: "y" top') if "top" in layer else f'{layer} bottom: "x" top: "y"'
        )
        (project / f"{name}.prototxt").write_text(
            f'layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ dim: 1 dim: 1 {sizes[name]} }} }} }}'
            f'layer {{ name: "one" type: {layer} }}'
        )
    nan, inf = np.nan, np.inf
    rows = [[nan, 1, nan, nan, -inf, -inf], [inf, 2, nan, -inf, -inf, -inf], [nan, -5, 0, -0.0, 7, nan]]
    rows.append([-inf, nan, 3, inf, 1, 1])
    given = {"special": np.array(rows, np.float32), "ave": np.arange(1, 21, dtype=np.float32).reshape(5, 4)}
    ours, theirs = run_ours(SPECIAL, given), real_caffe(SPECIAL, **given)
    assert set(ours) == set(theirs)
    for name, expected in theirs.items():
        np.testing.assert_array_equal(ours[name], expected, err_msg=name)
        assert (np.signbit(ours[name]) == np.signbit(expected))[np.isfinite(expected) & (expected != 0)].all(), name


SIZES = """
for name in ('raw 1', 'encoded 1', 'raw 2', 'encoded 2', 'raw 3', 'encoded 3'):
    net = caffe.Net(name.replace(' ', '_') + '.prototxt', caffe.TEST)
    for turn in range(4):
        net.forward()
        for blob in ('data', 'pooled', 'label'):
            result['%s %d %s' % (name, turn, blob)] = net.blobs[blob].data.copy()
"""


@pytest.mark.caffe
def test_data_layers_with_records_of_several_sizes(project, real_caffe):
    """One by one, or equal within a batch, or cropped."""
    rng = np.random.default_rng(8)
    pictures = [
        rng.integers(0, 256, size, dtype=np.uint8) for size in [(3, 5, 6)] * 2 + [(3, 8, 7)] * 2 + [(3, 6, 9)] * 2
    ]
    for kind in ("raw", "encoded"):
        with lmdb.Writer(project / kind) as writer:
            for index, pixels in enumerate(pictures):
                writer.put(b"%d" % index, datum.encode(pixels, index) if kind == "raw" else png(pixels, index))
        for batch in (1, 2, 3):
            crop = "transform_param { crop_size: 4 }" if batch == 3 else ""
            (project / f"{kind}_{batch}.prototxt").write_text(
                f'layer {{ name: "d" type: "Data" top: "data" top: "label" {crop} data_param {{ source: "{kind}" '
                f'backend: LMDB batch_size: {batch} }} }} layer {{ name: "p" type: "Pooling" bottom: "data" '
                f'top: "pooled" pooling_param {{ kernel_size: 2 stride: 2 }} }}'
            )
    assert_same(run_ours(SIZES, {}), real_caffe(SIZES))


def png(pixels: np.ndarray, label: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels[::-1].transpose(1, 2, 0)).save(buffer, "PNG")
    return caffe_pb2.Datum(data=buffer.getvalue(), label=label, encoded=True).SerializeToString()


RAISING = """
for case in ('setup 0', 'reshape 0', 'reshape 1', 'forward 9'):
    text = given['net'].item().replace('CASE', case)
    with open('raising.prototxt', 'w') as file:
        file.write(text)
    try:
        net = caffe.Net('raising.prototxt', caffe.TEST)
        result[case + ' built'] = np.array(1)
        net.reshape()
        net.forward()
        result[case] = np.array('nothing')
    except (KeyError, ZeroDivisionError, AttributeError) as error:
        result[case] = np.array(type(error).__name__ + str(error))
"""
RAISING_NET = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "p" type: "Python" bottom: "x" top: "y"
  python_param { module: "raising_layer" layer: "Raising" param_str: "CASE" } }
"""
RAISING_MODULE = """
import caffe

class Raising(caffe.Layer):
    def setup(self, bottom, top):
        self.where, self.count = self.param_str.split()
        if self.where == 'setup':
            raise KeyError('from setup')
    def reshape(self, bottom, top):
        self.count = int(self.count) - 1
        if self.where == 'reshape' and self.count < 0:
            raise ZeroDivisionError('from reshape')
        top[0].reshape(1)
    def forward(self, bottom, top):
        raise AttributeError('from forward')
"""


@pytest.mark.caffe
def test_what_a_layer_of_the_users_raises_comes_out_as_it_is(project, real_caffe, monkeypatch):
    monkeypatch.syspath_prepend(str(project))
    (project / "raising_layer.py").write_text(RAISING_MODULE)
    given = {"net": np.array(RAISING_NET)}
    assert_same(run_ours(RAISING, given), real_caffe("sys.path.insert(0, '.')\n" + RAISING, **given))


BACK = """force_backward: true
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } } }
"""
LAYERS = {
    "InnerProduct": """layer { name: "f" type: "Flatten" bottom: "x" top: "f" }
        layer { name: "p" type: "InnerProduct" bottom: "f" top: "y" inner_product_param { num_output: 2 } }""",
    "Reshape": """layer { name: "p" type: "Reshape" bottom: "x" top: "y"
        reshape_param { shape { dim: 2 dim: 48 } } }""",
    "Concat": """layer { name: "r" type: "Reshape" bottom: "x" top: "r"
        reshape_param { shape { dim: 0 dim: 0 dim: 4 dim: -1 } } }
        layer { name: "p" type: "Concat" bottom: "x" bottom: "r" top: "y" concat_param { axis: 3 } }""",
}


@pytest.mark.parametrize("kind", LAYERS)
def test_an_input_that_no_longer_fits_names_the_layer(project, kind):
    """In forward, in backward and in reshape, and never as an error of torch's."""
    (project / "net.prototxt").write_text(BACK + LAYERS[kind])
    net = pycaffe.Net("net.prototxt", pycaffe.TRAIN)
    net.forward()
    net.blobs["x"].reshape(2, 3, 6, 4)
    for call in (net.forward, net.backward, net.reshape):
        with pytest.raises(NetError, match=rf"layer 'p' \({kind}\)"):
            call()
    net.blobs["x"].reshape(2, 3, 4, 4)
    net.forward()
    net.backward()
    assert net.blobs["x"].diff.shape == (2, 3, 4, 4)


def test_backward_before_the_tops_have_followed(project):
    (project / "net.prototxt").write_text(
        BACK
        + 'layer { name: "p" type: "Pooling" bottom: "x" top: "y" }'.replace("}", "pooling_param { kernel_size: 2 } }")
    )
    net = pycaffe.Net("net.prototxt", pycaffe.TRAIN)
    net.forward()
    net.blobs["x"].reshape(2, 3, 6, 4)
    with pytest.raises(NetError, match=r"top 'y' has shape \(2, 3, 3, 3\), expected \(2, 3, 5, 3\)"):
        net.backward()
    net.reshape()
    net.backward()
    assert net.blobs["x"].diff.shape == (2, 3, 6, 4)

"""What a script's own passes and writes leave behind, beside real Caffe's."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_scripts import assert_same, run_ours

from workflow.formats import datum, lmdb

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

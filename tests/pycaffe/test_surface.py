"""Constructor forms, solver hooks, MemoryData, layers of the user's own and drawings, beside real Caffe's."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format

sys.path.insert(0, str(Path(__file__).parent))

from test_scripts import assert_same, run_ours

from workflow import pycaffe
from workflow.errors import NetError

STAGED = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 7 dim: 5 } } }
layer { name: "extra" type: "InnerProduct" bottom: "data" top: "extra" include { stage: "x" min_level: 1 }
  inner_product_param { num_output: 4 weight_filler { type: "constant" value: 0.1 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 3 weight_filler { type: "constant" value: 0.2 } } }
layer { name: "loss" type: "Reduction" bottom: "ip" top: "loss" loss_weight: 3 }
"""
FORMS = """
def names(net):
    return np.array([' '.join(net.params), ' '.join(net.layer_dict), ' '.join(net.outputs)])

first = caffe.Net('staged.prototxt', caffe.TEST)
first.params['ip'][0].data[...] = 0.5
first.save('staged.caffemodel')
nets = {
    'positional': first,
    'old order': caffe.Net('staged.prototxt', 'staged.caffemodel', caffe.TEST),
    'keywords': caffe.Net('staged.prototxt', caffe.TEST, level=1, stages=['x'], weights='staged.caffemodel'),
    'low level': caffe.Net('staged.prototxt', phase=caffe.TRAIN, stages=['x']),
    'all keywords': caffe.Net(network_file='staged.prototxt', phase=caffe.TEST, level=2, stages=['x']),
    'all positional': caffe.Net('staged.prototxt', caffe.TEST, 1, ['x']),
}
for form, net in nets.items():
    result[form] = names(net)
    result[form + ' weights'] = net.params['ip'][0].data
    result[form + ' loss weights'] = np.array([net.blob_loss_weights[name] for name in ('data', 'ip', 'loss')])
"""
HOOKS = """
solver = getattr(caffe, given['kind'].item())('staged_solver.prototxt')
seen = []
solver.add_callback(lambda: seen.append('start'), lambda: seen.append('ready'))
solver.net.blobs['data'].data[...] = given['data']
solver.step(2)
result['seen'] = np.array(seen)
result['weights'] = solver.net.params['ip'][0].data.copy()
other = caffe.Net('staged.prototxt', caffe.TRAIN)
solver.share_weights(other)
other.params['ip'][0].data[...] = 7
result['shared'] = solver.net.params['ip'][0].data
"""
MEMORY = """
net = caffe.Net('memory.prototxt', caffe.TEST)
net.set_input_arrays(given['pictures'], given['labels'])
for turn in range(3):
    net.forward()
    result['data %d' % turn] = net.blobs['data'].data.copy()
    result['label %d' % turn] = net.blobs['label'].data.copy()
"""
OWN_LAYER = """
net = caffe.Net('own.prototxt', caffe.TEST)
for turn in range(2):
    result['sum %d' % turn] = net.forward()['sum'].copy()
    result['data %d' % turn] = net.blobs['data'].data.copy()
"""
OWN_MODULE = """
import caffe
import numpy as np

class Counting(caffe.Layer):
    def setup(self, bottom, top):
        self.step, self.turn = eval(self.param_str), 0
    def reshape(self, bottom, top):
        top[0].reshape(2, 3, 7, 5)
    def forward(self, bottom, top):
        self.turn += 1
        top[0].data[...] = np.arange(210).reshape(2, 3, 7, 5) * self.step + self.turn
    def backward(self, top, propagate_down, bottom):
        pass
"""
SOLVERS = ("SGDSolver", "NesterovSolver", "AdaGradSolver", "RMSPropSolver", "AdaDeltaSolver", "AdamSolver")
RULES = {"SGDSolver": "momentum: 0.5", "NesterovSolver": "momentum: 0.5", "RMSPropSolver": "rms_decay: 0.9"} | {
    "AdaDeltaSolver": "momentum: 0.9 delta: 1e-4",
    "AdamSolver": "momentum: 0.9 momentum2: 0.99",
}


@pytest.fixture
def files(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(project))
    (project / "staged.prototxt").write_text(STAGED)
    (project / "own_counting.py").write_text(OWN_MODULE)
    (project / "own.prototxt").write_text(
        'layer { name: "data" type: "Python" top: "data" python_param { module: "own_counting" layer: "Counting" '
        'param_str: "0.25" } } layer { name: "sum" type: "Reduction" bottom: "data" top: "sum" '
        "reduction_param { axis: 1 } }"
    )
    (project / "memory.prototxt").write_text(
        'layer { name: "d" type: "MemoryData" top: "data" top: "label" '
        "memory_data_param { batch_size: 2 channels: 3 height: 7 width: 5 } }"
    )
    return project


@pytest.mark.caffe
def test_every_constructor_form(files, real_caffe):
    assert_same(run_ours(FORMS, {}), real_caffe(FORMS))


@pytest.mark.caffe
@pytest.mark.parametrize("kind", SOLVERS)
def test_callbacks_and_share_weights(kind, files, real_caffe):
    (files / "staged_solver.prototxt").write_text(
        f'net: "staged.prototxt" base_lr: 0.01 lr_policy: "fixed" max_iter: 9 snapshot_prefix: "run" '
        f"snapshot_after_train: false {RULES.get(kind, '')}"
    )
    given = {"kind": np.array(kind), "data": np.random.default_rng(2).normal(size=(2, 3, 7, 5)).astype(np.float32)}
    assert_same(run_ours(HOOKS, given), real_caffe(HOOKS, **given))


@pytest.mark.caffe
def test_memory_data_goes_round(files, real_caffe):
    rng = np.random.default_rng(3)
    given = {"pictures": rng.normal(size=(4, 3, 7, 5)).astype(np.float32), "labels": np.arange(4, dtype=np.float32)}
    assert_same(run_ours(MEMORY, given), real_caffe(MEMORY, **given))


@pytest.mark.caffe
def test_a_data_layer_of_the_users_own(files, real_caffe):
    assert_same(run_ours(OWN_LAYER, {}), real_caffe(OWN_LAYER))


def test_errors_are_of_the_types_that_scripts_catch(files):
    with pytest.raises(RuntimeError, match="Could not open file"):
        pycaffe.Net("absent.prototxt", pycaffe.TEST)
    net = pycaffe.Net("staged.prototxt", pycaffe.TEST)
    with pytest.raises(ValueError, match="no layer 'zz'"):
        net.forward(end="zz")
    with pytest.raises(KeyError, match="no blob 'zz'"):
        net.forward(blobs=["zz"])
    with pytest.raises(ValueError, match="has shape"):
        net.forward(data=np.zeros((2, 3, 7, 6)))
    with pytest.raises(NetError, match="do not match net inputs"):
        net.forward(zz=np.zeros(3))
    with pytest.raises(NetError, match="not MemoryData"):
        net.set_input_arrays(np.zeros((2, 3, 7, 5), np.float32), np.zeros(2, np.float32))


def test_a_drawing_names_every_layer_and_blob(files):
    pytest.importorskip("pydot")
    message = pycaffe.proto.caffe_pb2.NetParameter()
    text_format.Parse(STAGED, message)
    text = pycaffe.draw.get_pydot_graph(message, "LR").to_string()
    for name in ("data", "extra", "ip", "loss", "InnerProduct", "rankdir=LR"):
        assert name in text

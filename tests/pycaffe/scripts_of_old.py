"""Scripts as people wrote them for pycaffe: the same text runs under real Caffe and under workflow.pycaffe.

Each finds `caffe` and `np` imported, `given` (arrays), and leaves arrays in `result`. The files that they open are made
by `make_files`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from workflow import pycaffe
from workflow.formats.binaryproto import write_mean

ROOT = Path(__file__).parents[2]

LISTING_OF_2015 = """
net = caffe.Net('deploy.prototxt', 'weights.caffemodel', caffe.TEST)
blob = caffe.proto.caffe_pb2.BlobProto()
with open('mean.binaryproto', 'rb') as file:
    blob.ParseFromString(file.read())
mean = np.array(caffe.io.blobproto_to_array(blob))[0]
transformer = caffe.io.Transformer({'data': net.blobs['data'].data.shape})
transformer.set_transpose('data', (2, 0, 1))
transformer.set_mean('data', mean)
transformer.set_raw_scale('data', 255)
net.blobs['data'].reshape(1, 3, 32, 32)
net.blobs['data'].data[...] = transformer.preprocess('data', caffe.io.load_image('image.png'))
net.forward()
for name in ('conv1', 'conv2', 'conv3', 'pool3', 'prob'):
    result[name] = net.blobs[name].data
"""

SURGERY = """
net = caffe.Net('small.prototxt', caffe.TEST, weights='small.caffemodel')
result['shapes'] = np.array([p.data.shape for p in net.params['conv']][0])
net.params['conv'][0].data[...] *= 2
net.params['conv'][1].data[1] = -0.5
net.params['ip'][0].data[:, ::2] = 0
net.blobs['data'].data[...] = given['data']
before = net.blobs['pool'].data
out = net.forward()
result['prob'] = out['prob'].copy()
result['view'] = before
net.save('changed.caffemodel')
again = caffe.Net('small.prototxt', 'changed.caffemodel', caffe.TEST)
result['again'] = again.forward(data=given['data'])['prob']
other = caffe.Net('small.prototxt', caffe.TEST)
other.share_with(net)
net.params['ip'][1].data[0] += 3
result['shared'] = other.forward(data=given['data'], blobs=['ip'])['ip']
net.save_hdf5('changed.h5')
last = caffe.Net('small.prototxt', caffe.TEST)
last.load_hdf5('changed.h5')
result['hdf5'] = last.forward(data=given['data'])['prob']
"""

PARTS = """
net = caffe.Net('small.prototxt', 'small.caffemodel', caffe.TEST)
net.blobs['data'].data[...] = given['data']
result['to relu'] = net.forward(end='relu')['conv'].copy()
result['from pool'] = net.forward(start='pool')['prob'].copy()
net.blobs['pool'].data[...] = 1
result['after a change'] = net.forward(start='ip')['prob'].copy()
net.forward()
net.blobs['prob'].diff[...] = given['diff']
back = net.backward(diffs=['conv', 'pool'])
for name in back:
    result['diff of ' + name] = back[name].copy()
result['diff of weights'] = net.params['conv'][0].diff
result['to ip'] = net.backward(start='prob', end='ip')['pool'].copy()
net.clear_param_diffs()
result['cleared'] = net.params['conv'][0].diff
net.blobs['data'].reshape(4, 3, 12, 11)
net.reshape()
result['reshaped'] = np.array([net.blobs['pool'].num, net.blobs['pool'].channels, net.blobs['pool'].height,
                               net.blobs['pool'].width, net.blobs['pool'].count])
result['names'] = np.array([' '.join(net.blobs), ' '.join(net.params), ' '.join(net._layer_names),
                            ' '.join(net.inputs), ' '.join(net.outputs), ' '.join(l.type for l in net.layers),
                            ' '.join(' '.join(v) for v in net.top_names.values()),
                            ' '.join(' '.join(v) for v in net.bottom_names.values())])
"""

LONGER_THAN_A_BATCH = """
net = caffe.Net('small.prototxt', 'small.caffemodel', caffe.TEST)
found = net.forward_all(data=given['many'], blobs=['pool'])
for name in found:
    result[name] = found[name]
blobs, diffs = net.forward_backward_all(data=given['many'], prob=given['many diffs'], diffs=['conv'])
result['blobs'] = blobs['prob']
result['data diff'] = diffs['data'][:5]
result['conv diff'] = diffs['conv'][:5]  # Caffe leaves the filling of all diffs but one
"""

TRAINING = """
solver = caffe.get_solver('solver.prototxt')
solver.net.copy_from('small.caffemodel')
losses = []
for step in range(7):
    solver.net.blobs['data'].data[...] = given['batches'][step]
    solver.net.blobs['label'].data[...] = given['labels'][step]
    solver.step(1)
    losses.append(float(solver.net.blobs['loss'].data))
    solver.test_nets[0].blobs['data'].data[...] = given['batches'][step]
    solver.test_nets[0].share_with(solver.net)
    losses.append(float(solver.test_nets[0].forward(end='ip')['ip'].sum()))
result['losses'] = np.array(losses)
result['iter'] = np.array(solver.iter)
for name, blobs in solver.net.params.items():
    for index, blob in enumerate(blobs):
        result['%s %d' % (name, index)] = blob.data
        result['%s %d diff' % (name, index)] = blob.diff
solver.snapshot()
back = caffe.SGDSolver('solver.prototxt')
back.restore('run_iter_7.solverstate')
result['restored'] = back.net.params['conv'][0].data
result['restored iter'] = np.array(back.iter)
"""

BY_HAND = """
solver = caffe.AdamSolver('solver.prototxt')
solver.net.copy_from('small.caffemodel')
for step in range(3):
    solver.net.blobs['data'].data[...] = given['batches'][step]
    solver.net.blobs['label'].data[...] = given['labels'][step]
    solver.net.clear_param_diffs()
    solver.net.forward()
    solver.net.backward()
    solver.net.params['ip'][0].diff[...] *= 0.5
    solver.apply_update()
result['conv'] = solver.net.params['conv'][0].data
result['ip'] = solver.net.params['ip'][0].data
"""

CONVOLUTIONAL = """
net = caffe.Net('small.prototxt', 'small.caffemodel', caffe.TEST)
cast = caffe.Net('cast.prototxt', 'small.caffemodel', caffe.TEST)
cast.params['ip-conv'][0].data.flat = net.params['ip'][0].data.flat
cast.params['ip-conv'][1].data[...] = net.params['ip'][1].data
cast.save('cast.caffemodel')
result['map'] = cast.forward(data=given['large'])['prob']
result['argmax'] = cast.blobs['prob'].data[0].argmax(axis=0)
"""

NET_SPEC = """
from caffe import layers as L, params as P
n = caffe.NetSpec()
n.data, n.label = L.Data(batch_size=64, backend=P.Data.LMDB, source='train_lmdb',
                         transform_param=dict(scale=1. / 255), ntop=2)
n.conv1 = L.Convolution(n.data, kernel_size=5, num_output=20, weight_filler=dict(type='xavier'),
                        param=[dict(lr_mult=1), dict(lr_mult=2)])
n.pool1 = L.Pooling(n.conv1, kernel_size=2, stride=2, pool=P.Pooling.MAX)
n.ip1 = L.InnerProduct(n.pool1, num_output=500, weight_filler=dict(type='xavier'))
n.relu1 = L.ReLU(n.ip1, in_place=True)
n.a, n.b = L.Slice(n.relu1, slice_point=[250], axis=1, ntop=2)
n.sum = L.Eltwise(n.a, n.b, operation=P.Eltwise.SUM, coeff=[1, -1])
n.odd = L.Deconvolution(n.pool1, convolution_param=dict(num_output=3, kernel_size=2))
n.score = L.InnerProduct(n.sum, num_output=10, bias_term=False, include=dict(phase=caffe.TEST))
n.loss = L.SoftmaxWithLoss(n.score, n.label, loss_weight=2, name='final')
text = str(n.to_proto())
result['proto'] = np.frombuffer(text.encode(), np.uint8)
result['anonymous'] = np.frombuffer(str(caffe.to_proto(L.Softmax(L.Input(shape=dict(dim=[2, 3]))))).encode(), np.uint8)
"""

TRANSFORMER = """
t = caffe.io.Transformer({'data': (2, 3, 13, 11)})
t.set_transpose('data', (2, 0, 1))
t.set_channel_swap('data', (2, 1, 0))
t.set_raw_scale('data', 255)
t.set_mean('data', np.array([104., 117., 123.]))
t.set_input_scale('data', 0.017)
picture = given['picture']
result['preprocessed'] = t.preprocess('data', picture)
result['deprocessed'] = t.deprocess('data', t.preprocess('data', picture))
whole = caffe.io.Transformer({'data': (1, 3, 13, 11)})
whole.set_transpose('data', (2, 0, 1))
whole.set_mean('data', given['mean'])
result['whole'] = whole.preprocess('data', picture)
for order in (0, 1):
    result['larger %d' % order] = caffe.io.resize_image(picture, (31, 22), interp_order=order)
    result['smaller %d' % order] = caffe.io.resize_image(picture, (5, 7), interp_order=order)
result['constant'] = caffe.io.resize_image(np.full((4, 6, 3), 0.25, np.float32), (8, 9))
result['many channels'] = caffe.io.resize_image(given['five channels'], (6, 5))
result['crops'] = caffe.io.oversample([picture, picture[:, ::-1]], (8, 7))
"""

MESSAGES = """
blob = caffe.io.array_to_blobproto(given['picture'], diff=given['picture'] * 2)
result['blob'] = caffe.io.blobproto_to_array(blob)
result['diff'] = caffe.io.blobproto_to_array(blob, return_diff=True)
text = caffe.io.arraylist_to_blobprotovector_str([given['picture'], given['mean']])
for index, array in enumerate(caffe.io.blobprotovector_str_to_arraylist(text)):
    result['list %d' % index] = array
pixels = (given['picture'].transpose(2, 0, 1) * 255).astype(np.uint8)
datum = caffe.io.array_to_datum(pixels, 7)
result['bytes'] = np.frombuffer(datum.SerializeToString(), np.uint8)
result['datum'] = caffe.io.datum_to_array(datum)
floats = caffe.io.array_to_datum(given['picture'].transpose(2, 0, 1).astype(float))
result['floats'] = caffe.io.datum_to_array(floats)
result['label'] = np.array([datum.label, floats.label])
"""

CLASSIFIER = """
classifier = caffe.Classifier('small.prototxt', 'small.caffemodel', image_dims=(14, 12), mean=np.array([.1, .2, .3]),
                              raw_scale=2.0, channel_swap=(2, 1, 0))
pictures = [given['picture'], given['picture'][::-1]]
result['ten crops'] = classifier.predict(pictures)
result['centre'] = classifier.predict(pictures, oversample=False)
"""

DETECTOR = """
detector = caffe.Detector('square.prototxt', 'small.caffemodel', mean=np.array([.1, .2, .3]), raw_scale=2.0,
                          context_pad=2)
windows = np.array([[2, 1, 14, 9], [0, 0, 7, 13], [5, 3, 17, 15]])
found = detector.detect_windows([('image.png', windows)])
result['predictions'] = np.array([one['prediction'] for one in found])
result['windows'] = np.array([one['window'] for one in found])
plain = caffe.Detector('square.prototxt', 'small.caffemodel')
result['plain'] = np.array([one['prediction'] for one in plain.detect_windows([('image.png', windows)])])
"""

NUMERIC = {
    "listing of 2015": LISTING_OF_2015,
    "surgery": SURGERY,
    "parts": PARTS,
    "longer than a batch": LONGER_THAN_A_BATCH,
    "training": TRAINING,
    "by hand": BY_HAND,
    "convolutional": CONVOLUTIONAL,
    "transformer": TRANSFORMER,
    "messages": MESSAGES,
    "classifier": CLASSIFIER,
    "detector": DETECTOR,
}

# ---- their files ----

_TRUNK = """
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "gaussian" std: 0.3 }
                      bias_filler { type: "gaussian" std: 0.1 } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
"""
_IP = """
layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip"
  inner_product_param { num_output: 5 weight_filler { type: "gaussian" std: 0.2 } } }
"""
_PROB = 'layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }'


def _input(height: int, width: int, batch: int = 2) -> str:
    return (
        f'force_backward: true layer {{ name: "data" type: "Input" top: "data" input_param {{ shape {{ dim: {batch} '
        f"dim: 3 dim: {height} dim: {width} }} }} }}"
    )


_LABEL = 'layer { name: "label" type: "Input" top: "label" input_param { shape { dim: 2 } } }'
_CAST = """
layer { name: "ip-conv" type: "Convolution" bottom: "pool" top: "ip" convolution_param { num_output: 5 kernel_h: 5
  kernel_w: 4 } }
"""
_SOLVER = """
net: "train.prototxt" test_iter: 1 test_interval: 1000 test_initialization: false base_lr: 0.05 momentum: 0.9
weight_decay: 0.004 lr_policy: "step" stepsize: 3 gamma: 0.5 max_iter: 100 snapshot_prefix: "run" random_seed: 3
"""


def make_files(folder: Path) -> dict[str, np.ndarray]:
    """Nets, weights, a mean and a picture in `folder`; what the scripts find in `given`."""
    rng = np.random.default_rng(11)
    square = _input(12, 11).replace("dim: 11", "dim: 12")
    files = {
        "small.prototxt": _input(12, 11) + _TRUNK + _IP + _PROB,
        # the ip of 12 x 12 has its own name: the weights that the file has for 12 x 11 would not fit
        "square.prototxt": square
        + _TRUNK
        + _IP.replace('"InnerProduct"', '"Convolution"')
        .replace("inner_product_param { num_output: 5", "convolution_param { num_output: 5 kernel_size: 5")
        .replace('"ip" type', '"ip-square" type')
        + _PROB,
        "cast.prototxt": _input(20, 17) + _TRUNK + _CAST + _PROB,
        "train.prototxt": _input(12, 11)
        + _LABEL
        + _TRUNK
        + _IP
        + 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }',
        "solver.prototxt": _SOLVER,
        "deploy.prototxt": (ROOT / "prototxt" / "cifar10_quick_deploy.prototxt").read_text(),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    pycaffe.set_random_seed(5)
    small = pycaffe.Net(folder / "small.prototxt", pycaffe.TEST)
    small.save(folder / "small.caffemodel")
    square_net = pycaffe.Net(folder / "square.prototxt", pycaffe.TEST)
    _append(folder / "small.caffemodel", square_net)
    pycaffe.Net(folder / "deploy.prototxt", pycaffe.TEST).save(folder / "weights.caffemodel")
    write_mean(folder / "mean.binaryproto", rng.uniform(90, 150, (3, 32, 32)))
    Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(folder / "image.png")
    return {
        "data": rng.normal(size=(2, 3, 12, 11)).astype(np.float32),
        "diff": rng.normal(size=(2, 5)).astype(np.float32),
        "many": rng.normal(size=(5, 3, 12, 11)).astype(np.float32),
        "many diffs": rng.normal(size=(5, 5)).astype(np.float32),
        "batches": rng.normal(size=(7, 2, 3, 12, 11)).astype(np.float32),
        "labels": rng.integers(0, 5, (7, 2)).astype(np.float32),
        "large": rng.normal(size=(2, 3, 20, 17)).astype(np.float32),
        "picture": rng.uniform(0, 1, (17, 15, 3)).astype(np.float32),
        "mean": rng.uniform(0, 1, (3, 13, 11)).astype(np.float32),
        "five channels": rng.uniform(0, 1, (9, 8, 5)).astype(np.float32),
    }


def _append(path: Path, net: pycaffe.Net) -> None:
    """Add the layer that another net alone has to the file of weights."""
    weights = pycaffe.proto.caffe_pb2.NetParameter.FromString(path.read_bytes())
    other = path.with_suffix(".more")
    net.save(other)
    more = pycaffe.proto.caffe_pb2.NetParameter.FromString(other.read_bytes())
    weights.layer.extend(one for one in more.layer if one.name == "ip-square")
    path.write_bytes(weights.SerializeToString())

from __future__ import annotations

import numpy as np
import pytest
from one_layer import make

from workflow.errors import NetError

TEXT = """name: "m" type: "MemoryData" top: "data" top: "label" %s
  memory_data_param { batch_size: 2 channels: 3 height: 5 width: 4 }"""
DATA = np.random.default_rng(2).normal(size=(6, 3, 5, 4)).astype("f")
LABELS = np.arange(6, dtype="f")


def test_batches_go_round_and_round():
    layer = make(TEXT % "")
    assert layer.top_shapes() == [(2, 3, 5, 4), (2,)]
    layer.set_arrays(DATA, LABELS)
    seen = [layer.forward() for _ in range(4)]
    assert [label.flatten().tolist() for _, label in seen] == [[0, 1], [2, 3], [4, 5], [0, 1]]
    np.testing.assert_array_equal(seen[1][0], DATA[2:4])
    layer.set_arrays(DATA[4:], LABELS[4:])
    assert layer.forward()[1].flatten().tolist() == [4, 5]


SNIPPET = """
for i in range(20):
    net = caffe.Net('net%d.prototxt' % i, caffe.TEST)
    net.set_input_arrays(given['data%d' % i], given['labels%d' % i])
    for turn in range(4):
        net.forward()
        result['data%d.%d' % (i, turn)] = net.blobs['data'].data.copy()
        result['label%d.%d' % (i, turn)] = net.blobs['label'].data.copy()
    del net
"""


@pytest.mark.caffe
def test_twenty_random_nets_as_real_caffe(real_caffe, tmp_path):
    rng = np.random.default_rng(5)
    given, layers = {}, []
    for i in range(20):
        batch, rounds, *sizes = (int(size) for size in rng.integers(1, 5, size=5))
        text = TEXT % ""
        for old, new in zip(("size: 2", "channels: 3", "height: 5", "width: 4"), (batch, *sizes), strict=True):
            text = text.replace(old, f"{old.partition(':')[0]}: {new}")
        (tmp_path / f"net{i}.prototxt").write_text(f"layer {{ {text} }}")
        given[f"data{i}"] = rng.normal(size=(batch * rounds, *sizes)).astype("f")
        given[f"labels{i}"] = rng.integers(0, 9, size=batch * rounds).astype("f")
        layers.append(make(text))
    theirs = real_caffe(SNIPPET, **given)
    for i, layer in enumerate(layers):
        layer.set_arrays(given[f"data{i}"], given[f"labels{i}"])
        for turn in range(4):
            data, label = layer.forward()
            np.testing.assert_array_equal(data, theirs[f"data{i}.{turn}"])
            np.testing.assert_array_equal(label, theirs[f"label{i}.{turn}"])


def test_arrays_that_do_not_fit(caplog):
    layer = make(TEXT % "transform_param { scale: 2 }")
    with pytest.raises(NetError, match="has no arrays yet"):
        layer.forward()
    with pytest.raises(NetError, match=r"data of shape \(5, 3, 5, 4\), expected \(a multiple of 2, 3, 5, 4\)"):
        layer.set_arrays(DATA[:5], LABELS[:5])
    with pytest.raises(NetError, match="5 labels for 6 items"):
        layer.set_arrays(DATA, LABELS[:5])
    layer.set_arrays(DATA, LABELS)
    assert "transform_param is not applied" in caplog.text


def test_sizes_that_are_missing():
    with pytest.raises(NetError, match="batch_size=0"):
        make('name: "m" type: "MemoryData" top: "a" top: "b" memory_data_param { channels: 1 height: 2 width: 3 }')

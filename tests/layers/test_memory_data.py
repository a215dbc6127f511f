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


@pytest.mark.caffe
def test_as_real_caffe(real_caffe, tmp_path):
    (tmp_path / "net.prototxt").write_text(f"layer {{ {TEXT % ''} }}")
    theirs = real_caffe(
        """
net = caffe.Net('net.prototxt', caffe.TEST)
net.set_input_arrays(given['data'], given['labels'])
for turn in range(4):
    net.forward()
    result['data%d' % turn] = net.blobs['data'].data
    result['label%d' % turn] = net.blobs['label'].data.copy()
    result['data%d' % turn] = result['data%d' % turn].copy()
""",
        data=DATA,
        labels=LABELS,
    )
    layer = make(TEXT % "")
    layer.set_arrays(DATA, LABELS)
    for turn in range(4):
        data, label = layer.forward()
        np.testing.assert_array_equal(data, theirs[f"data{turn}"])
        np.testing.assert_array_equal(label, theirs[f"label{turn}"])


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

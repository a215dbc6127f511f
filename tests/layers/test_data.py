"""Data: whose labels are checked against which number of classes."""

from __future__ import annotations

import numpy as np
import pytest
from google.protobuf import text_format

from workflow.engines.torch_cpu import Net
from workflow.errors import DatabaseError, NetError
from workflow.formats import caffe_pb2, datum
from workflow.formats.lmdb import Writer
from workflow.net.build import build

DATA = """
layer { name: "d" type: "Data" top: "data" top: "label" data_param { source: "db" backend: LMDB batch_size: 3 } }
layer { name: "other" type: "DummyData" top: "other" dummy_data_param { shape { dim: 3 } } }
layer { name: "two" type: "InnerProduct" bottom: "data" top: "two" inner_product_param { num_output: 2 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "two" bottom: "%s" top: "loss" %s }
"""
REGRESSION = """
layer { name: "one" type: "Reshape" bottom: "label" top: "one" reshape_param { shape { dim: 3 dim: 1 } } }
layer { name: "twice" type: "Concat" bottom: "one" bottom: "one" top: "twice" }
layer { name: "far" type: "EuclideanLoss" bottom: "two" bottom: "twice" top: "far" }
"""


@pytest.fixture
def folder(tmp_path):
    """A database of three pictures with the labels 0, 1 and 2."""
    with Writer(tmp_path / "db") as writer:
        for label in range(3):
            writer.put(b"%d" % label, datum.encode(np.zeros((1, 2, 2), np.uint8), label))
    return tmp_path


def run(text, folder):
    net = Net(build(text_format.Parse(text, caffe_pb2.NetParameter()), phase="TRAIN"), folder=folder)
    try:
        return net.run()
    finally:
        net.close()


def test_labels_are_checked_where_their_records_can_be_named(folder):
    for more in ("", REGRESSION):  # through Split layers, too
        with pytest.raises(DatabaseError, match="record 2: label 2, but there are 2 classes"):
            run(DATA % ("label", "") + more, folder)
    with pytest.raises(NetError, match="layer 'loss' .SoftmaxWithLoss.: label 2, but there are 2 classes"):
        run(DATA % ("label", "loss_param { ignore_label: 9 }"), folder)


def test_labels_that_are_no_class_numbers_are_not(folder):
    assert run(DATA % ("other", "") + REGRESSION, folder) > 0

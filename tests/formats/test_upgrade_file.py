from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import PrototxtError, UsageError
from workflow.formats import blobproto, caffe_pb2, caffemodel, prototxt
from workflow.formats.upgrade_file import upgrade_file

V1 = """layers { name: "conv" type: CONVOLUTION bottom: "data" top: "conv"
  convolution_param { num_output: 2 kernel_size: 3 } }"""


def test_a_net_of_v1(tmp_path):
    (tmp_path / "old.prototxt").write_text(f'input: "data" input_dim: 1 input_dim: 3 input_dim: 7 input_dim: 5 {V1}')
    assert upgrade_file(tmp_path / "old.prototxt", tmp_path / "new.prototxt") == "net"
    net = prototxt.parse((tmp_path / "new.prototxt").read_text(), caffe_pb2.NetParameter)
    assert [layer.type for layer in net.layer] == ["Input", "Convolution"]
    assert not net.layers
    assert not net.input


def test_a_solver_that_gives_its_type_by_number(tmp_path):
    (tmp_path / "solver.prototxt").write_text('net: "a" solver_type: ADAGRAD base_lr: 0.1')
    assert upgrade_file(tmp_path / "solver.prototxt", tmp_path / "solver.prototxt") == "solver"
    solver = prototxt.parse((tmp_path / "solver.prototxt").read_text(), caffe_pb2.SolverParameter)
    assert solver.type == "AdaGrad"
    assert not solver.HasField("solver_type")


def test_old_weights(tmp_path):
    old = caffe_pb2.NetParameter()
    layer = old.layers.add(name="conv", type=caffe_pb2.V1LayerParameter.CONVOLUTION)
    values = np.arange(12, dtype=np.float32).reshape(2, 3, 2, 1)
    layer.blobs.append(blobproto.from_array(values, legacy=True))
    (tmp_path / "old.caffemodel").write_bytes(old.SerializeToString())
    assert upgrade_file(tmp_path / "old.caffemodel", tmp_path / "new.caffemodel") == "weights"
    new = caffe_pb2.NetParameter.FromString((tmp_path / "new.caffemodel").read_bytes())
    assert [one.type for one in new.layer] == ["Convolution"]
    assert (caffemodel.arrays(new.layer[0])[0] == values).all()


def test_what_is_neither_is_refused_and_nothing_is_written(tmp_path):
    (tmp_path / "net.prototxt").write_text('name: "x"\nlayer { name: "a" tipe: "ReLU" }')
    with pytest.raises(PrototxtError, match="unknown field 'tipe'"):
        upgrade_file(tmp_path / "net.prototxt", tmp_path / "out.prototxt")
    with pytest.raises(UsageError, match="cannot write"):
        upgrade_file(tmp_path / "net.prototxt", tmp_path / "out.caffemodel")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.prototxt"]


def test_a_type_by_a_number_that_there_is_not_is_a_solvers_fault(tmp_path):
    (tmp_path / "solver.prototxt").write_text('net: "a" solver_type: 7')
    with pytest.raises(PrototxtError, match=r"7 is not a value of SolverParameter\.SolverType"):
        upgrade_file(tmp_path / "solver.prototxt", tmp_path / "new.prototxt")


def test_the_folder_is_made(tmp_path):
    (tmp_path / "net.prototxt").write_text('layer { name: "a" type: "ReLU" bottom: "x" top: "x" }')
    assert upgrade_file(tmp_path / "net.prototxt", tmp_path / "new" / "net.prototxt") == "net"
    assert (tmp_path / "new" / "net.prototxt").is_file()


def test_what_is_not_old_is_copied_with_its_comments(tmp_path, caplog):
    text = "# mine\nlayer { name: 'a' type: 'ReLU' bottom: 'x' top: 'x' }\n"
    (tmp_path / "net.prototxt").write_text(text)
    assert upgrade_file(tmp_path / "net.prototxt", tmp_path / "out.prototxt") == "net"
    assert (tmp_path / "out.prototxt").read_text() == text
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'net.prototxt'} is already in the current format; copied unchanged"
    ]


def test_old_weights_without_a_suffix(tmp_path):
    old = caffe_pb2.NetParameter()
    layer = old.layers.add(name="conv", type=caffe_pb2.V1LayerParameter.CONVOLUTION)
    layer.blobs.append(blobproto.from_array(np.ones((2, 3, 2, 1), np.float32), legacy=True))
    source = tmp_path / "cifar10_quick_iter_5000"
    source.write_bytes(old.SerializeToString())
    for name in ("new.caffemodel", "cifar10_quick_iter_5000.upgraded"):
        assert upgrade_file(source, tmp_path / name) == "weights"
        assert caffemodel.read(tmp_path / name).layer[0].type == "Convolution"
    with pytest.raises(UsageError, match=r"cannot write .*iter_5000 as 'net.prototxt'") as caught:
        upgrade_file(source, tmp_path / "net.prototxt")
    assert caught.value.hint == "name a file that ends in .caffemodel"


def test_a_net_without_a_suffix(tmp_path):
    (tmp_path / "deploy").write_text(f'input: "data" input_dim: 1 input_dim: 3 input_dim: 7 input_dim: 5 {V1}')
    assert upgrade_file(tmp_path / "deploy", tmp_path / "deploy.new") == "net"

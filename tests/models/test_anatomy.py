from __future__ import annotations

import resource
from pathlib import Path

import pytest

from workflow.errors import NetError
from workflow.models.anatomy import anatomy

PROTOTXT = Path(__file__).parents[2] / "prototxt"


def test_the_deploy_net_of_cifar10_quick():
    net = anatomy(PROTOTXT / "cifar10_quick_deploy.prototxt")
    parts = {part.name: part for part in net.parts}
    assert parts["conv2"].tops == {"conv2": (1, 32, 16, 16)}
    assert parts["conv2"].params == ((32, 32, 5, 5), (32,))
    assert parts["conv2"].multiply_adds == 32 * 16 * 16 * 32 * 25
    assert net.parameters == sum((3 * 25 * 32 + 32, 32 * 25 * 32 + 32, 32 * 25 * 64 + 64, 1024 * 64 + 64, 64 * 10 + 10))
    assert net.multiply_adds == 12_354_176


def test_a_net_that_reads_pictures_is_shown_without_them():
    net = anatomy(PROTOTXT / "cifar10_quick_train_test.prototxt", phase="TRAIN", stored=(3, 32, 32))
    assert net.parts[0].type == "Data"
    assert net.parts[0].tops == {"data": (100, 3, 32, 32), "label": (100,)}
    assert net.parts[1].multiply_adds == 32 * 32 * 32 * 75  # of one picture, not of the batch
    assert "Split" not in {part.type for part in net.parts}
    assert all("_split_" not in name for part in net.parts for name in part.bottoms)


def test_a_shape_that_nothing_tells_is_asked_for():
    with pytest.raises(NetError, match="reads pictures of an unknown shape") as caught:
        anatomy(PROTOTXT / "cifar10_quick_train_test.prototxt")
    assert "--shape 3,32,32" in str(caught.value)


def test_shared_parameters_count_once(tmp_path):
    (tmp_path / "net.prototxt").write_text(
        """layer { name: "in" type: "Input" top: "a" top: "b" input_param { shape { dim: 2 dim: 7 } } }
        layer { name: "left" type: "InnerProduct" bottom: "a" top: "left" param { name: "w" } param { name: "c" }
          inner_product_param { num_output: 5 } }
        layer { name: "right" type: "InnerProduct" bottom: "b" top: "right" param { name: "w" } param { name: "c" }
          inner_product_param { num_output: 5 } }"""
    )
    net = anatomy(tmp_path / "net.prototxt")
    assert [part.parameters for part in net.parts] == [0, 40, 0]
    assert net.multiply_adds == 2 * 35


def test_no_memory_is_taken_for_blobs_or_parameters(tmp_path):
    """40 GB of weights and 200 GB of blobs; torch keeps what it has in its own counter."""
    (tmp_path / "net.prototxt").write_text(
        """layer { name: "d" type: "Data" top: "data" data_param { batch_size: 100000 } }
        layer { name: "c" type: "Convolution" bottom: "data" top: "c"
          convolution_param { num_output: 64 kernel_size: 1 } }
        layer { name: "ip" type: "InnerProduct" bottom: "c" top: "ip" inner_product_param { num_output: 10000 } }"""
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    net = anatomy(tmp_path / "net.prototxt", stored=(3, 128, 128))
    assert net.parameters == 64 * 3 + 64 + 64 * 128 * 128 * 10000 + 10000
    assert net.parts[1].tops == {"c": (100000, 64, 128, 128)}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


PYTHON = """layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "mine" type: "Python" bottom: "x" top: "y" python_param { module: "mine" layer: "Twice" } }"""


def test_code_of_the_working_folder_runs_only_where_it_may(project):
    Path("net.prototxt").write_text(PYTHON)
    Path("mine.py").write_text(
        "import pathlib, caffe\npathlib.Path('ran').touch()\n"
        "class Twice(caffe.Layer):\n    def setup(self, bottom, top): pass\n"
        "    def reshape(self, bottom, top): top[0].reshape(2, 6)\n"
    )
    with pytest.raises(NetError, match="class 'Twice' of module 'mine', which was not run") as caught:
        anatomy(Path("net.prototxt"))
    assert "--python" in caught.value.hint
    assert str(caught.value.at) == "net.prototxt:2:1"
    assert not Path("ran").exists()
    assert anatomy(Path("net.prototxt"), run_python=True).parts[1].tops == {"y": (2, 6)}
    assert Path("ran").exists()


def test_layers_of_a_stage(tmp_path):
    (tmp_path / "net.prototxt").write_text(
        """layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
        layer { name: "val" type: "ReLU" bottom: "x" top: "y" include { stage: "val" } }"""
    )
    assert len(anatomy(tmp_path / "net.prototxt").parts) == 1
    assert len(anatomy(tmp_path / "net.prototxt", stages=["val"]).parts) == 2

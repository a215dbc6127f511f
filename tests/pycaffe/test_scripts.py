"""Scripts written for pycaffe run with their import line changed, and give real Caffe's numbers."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format

sys.path.insert(0, str(Path(__file__).parent))

from scripts_of_old import LISTING_OF_2015, NET_SPEC, NUMERIC, make_files

from workflow import pycaffe
from workflow.formats import caffe_pb2
from workflow.layers.user_module import serve_as_caffe

# Caffe's own load_image asks today's scikit-image for an argument that it no longer has, and its detector cuts arrays
# at whole numbers that are floats, which today's numpy refuses: this is what both did in 2015.
AS_IN_2015 = """
import skimage.io
caffe.io.load_image = lambda name, color=True: skimage.img_as_float(skimage.io.imread(name)).astype(np.float32)

class OldNumpy:
    clip = staticmethod(lambda *given: np.clip(*given).astype(int))
    __getattr__ = lambda self, name: getattr(np, name)

caffe.detector.np = OldNumpy()
"""


def run_ours(script: str, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    serve_as_caffe()  # `from caffe import layers`: the one import line that stands in a script's middle
    names: dict[str, object] = {"np": np, "given": given, "result": {}}
    exec(f"from workflow import pycaffe as caffe\n{script}", names)
    return {name: np.array(array) for name, array in names["result"].items()}


@pytest.fixture
def given(project: Path) -> dict[str, np.ndarray]:
    return make_files(project)


def assert_same(ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]) -> None:
    assert set(ours) == set(theirs) != set()
    for name, expected in theirs.items():
        found = ours[name]
        assert found.shape == expected.shape, name
        if expected.dtype.kind in "US":
            assert found.tolist() == expected.tolist(), name
            continue
        scale = max(1e-3, float(np.abs(expected).max(initial=0)))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * scale, err_msg=name)


@pytest.mark.caffe
@pytest.mark.parametrize("name", NUMERIC)
def test_the_same_numbers(name, given, real_caffe):
    theirs = real_caffe(AS_IN_2015 + NUMERIC[name], **given)
    assert_same(run_ours(NUMERIC[name], given), theirs)


@pytest.mark.caffe
def test_net_spec_writes_the_same_nets(given, real_caffe):
    ours, theirs = run_ours(NET_SPEC, given), real_caffe(NET_SPEC)
    for name in ("proto", "anonymous"):
        one, other = (
            text_format.Parse(found[name].tobytes().decode(), caffe_pb2.NetParameter()) for found in (ours, theirs)
        )
        assert one == other
        assert one.layer


@pytest.mark.caffe
def test_the_listing_of_2015_on_a_published_model(project, shared_data, real_caffe):
    folder = shared_data / "models" / "cifar10_quick_v2_simshang"
    make_files(project)
    for source, target in {
        "cifar10_quick.prototxt": "deploy.prototxt",
        "cifar10_quick_iter_5000.caffemodel": "weights.caffemodel",
        "mean.binaryproto": "mean.binaryproto",
    }.items():
        shutil.copy(folder / source, project / target)
    theirs = real_caffe(AS_IN_2015 + LISTING_OF_2015)
    assert_same(run_ours(LISTING_OF_2015, {}), theirs)
    assert theirs["prob"].shape == (1, 10)


@pytest.mark.parametrize("name", NUMERIC)
def test_they_run_without_real_caffe(name, given):
    found = run_ours(NUMERIC[name], given)
    assert found
    assert all(np.isfinite(array).all() for array in found.values() if array.dtype.kind == "f")


def test_everything_that_pycaffe_names_is_there():
    names = (
        "Net SGDSolver NesterovSolver AdaGradSolver RMSPropSolver AdaDeltaSolver AdamSolver NCCL Timer set_mode_cpu "
        "set_mode_gpu set_device Layer get_solver layer_type_list set_random_seed solver_count set_solver_count "
        "solver_rank set_solver_rank set_multiprocess has_nccl TRAIN TEST Classifier Detector io layers params NetSpec "
        "to_proto draw proto init_log log __version__"
    )
    assert [name for name in names.split() if not hasattr(pycaffe, name)] == []

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workflow.engines.numpy_cpu.plan import plan
from workflow.engines.torch_cpu import plan as torch_plan
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import parse, read_net
from workflow.net.build import build
from workflow.net.deployed import deployed

PROTOTXT = Path(__file__).parents[3] / "prototxt"


def spec(name, phase):
    net = read_net(PROTOTXT / f"{name}.prototxt")
    return build(deployed(net, (3, 37, 41), phase=phase) if "train" in name else net, phase=phase)


@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
@pytest.mark.parametrize("name", ["cifar10_quick_deploy", "cifar10_full_train_test", "lenet_train_test"])
def test_the_same_shapes_as_with_torch(name, phase):
    planned = plan(spec(name, phase))
    shapes, declared = torch_plan.plan(spec(name, phase), list(torch_plan.layers_of(spec(name, phase), Path())))
    assert planned == (shapes, [[blob.shape for blob in blobs] for blobs in declared])


def test_a_layer_that_only_others_know():
    net = parse('layer { name: "p" type: "Parameter" top: "p" }', caffe_pb2.NetParameter)
    assert plan(build(net, phase="TEST")) is None


def test_showing_a_usual_net_needs_no_torch():
    program = (
        "import sys; from pathlib import Path; from workflow.models.anatomy import anatomy;"
        f"anatomy(Path({str(PROTOTXT / 'cifar10_quick_train_test.prototxt')!r}), stored=(3, 32, 32));"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

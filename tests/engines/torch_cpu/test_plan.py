from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workflow.engines.numpy_cpu import Engine as NumpyEngine
from workflow.engines.torch_cpu import Engine
from workflow.engines.torch_cpu.plan import layers_of
from workflow.errors import NetError
from workflow.formats.prototxt import read_net
from workflow.layers import Layer
from workflow.net.build import build

PROTOTXT = Path(__file__).parents[3] / "prototxt"
NET = """layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 4 dim: 4 } } }
layer { name: "c" type: "Convolution" bottom: "data" top: "c"
  convolution_param { num_output: 2 kernel_size: 1 weight_filler { type: "FILLER" } } }
layer { name: "p" type: "Pooling" bottom: "c" top: "p" pooling_param { kernel_size: 2 } }"""


def opening(folder, text, engine):
    path = folder / "net.prototxt"
    path.write_text(text)
    with pytest.raises(NetError) as caught:
        engine.open(read_net(path), None, source=path)
    return caught.value


@pytest.mark.parametrize(("filler", "hint"), [("gausian", "did you mean 'gaussian'?"), ("identity", "known: bilinear")])
def test_an_unknown_filler(tmp_path, filler, hint):
    error = opening(tmp_path, NET.replace("FILLER", filler), Engine())
    assert error.message == f"layer 'c' (Convolution): filler type '{filler}' is unknown"
    assert (error.at.line, error.at.column) == (3, 1)
    assert str(error).count("xavier") == (0 if filler == "gausian" else 1)
    assert hint in error.hint


@pytest.mark.parametrize("engine", [Engine, NumpyEngine])
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"Pooling"', '"Pooing"', "layer 'p': type 'Pooing' is not known"),
        ("kernel_size: 2", "kernel_size: 2 pad: 2", "layer 'p' (Pooling): pad (2, 2)"),
    ],
)
def test_every_error_of_a_layer_names_its_line(tmp_path, engine, old, new, words):
    error = opening(tmp_path, NET.replace("FILLER", "xavier").replace(old, new), engine())
    assert error.message.startswith(words)
    assert error.at.line == 5


@pytest.mark.parametrize("name", ["cifar10_quick", "cifar10_full", "lenet"])
def test_the_shapes_of_usual_nets_are_those_of_a_pass_without_numbers(name):
    net = build(read_net(PROTOTXT / f"{name}_deploy.prototxt"), phase="TEST")
    shapes = {}
    for layer in layers_of(net, Path()):
        bottoms = [shapes[bottom] for bottom in layer.spec.bottoms]
        found = layer.top_shapes(*bottoms)
        if layer.spec.type != "Input":
            assert found == Layer.top_shapes(layer, *bottoms)
        shapes.update(zip(layer.spec.tops, found, strict=True))


def test_building_a_usual_net_imports_no_compiler():
    """For a pass without numbers PyTorch imports sympy, dynamo and distributed: a second of each start."""
    code = f"""
import sys
from pathlib import Path
from workflow.engines.torch_cpu import Net
from workflow.formats.prototxt import read_net
from workflow.net.build import build
for name in ("cifar10_quick", "cifar10_full", "lenet"):
    Net(build(read_net(Path({str(PROTOTXT)!r}) / f"{{name}}_deploy.prototxt"), phase="TEST")).run()
print([name for name in ("sympy", "torch._dynamo", "torch.distributed.tensor") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

from __future__ import annotations

import pytest

from workflow.engines.numpy_cpu import Engine as NumpyEngine
from workflow.engines.torch_cpu import Engine
from workflow.errors import NetError
from workflow.formats.prototxt import read_net

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

"""wf net."""

from __future__ import annotations

import shutil
from pathlib import Path

from running import Run

ROOT = Path(__file__).parents[2]

PROTOTXT = Path(__file__).parents[2] / "prototxt"


def test_the_usual_net_fits_a_terminal_of_80_columns(wf: Run) -> None:
    shown = wf("net", "show", ROOT / "prototxt/cifar10_quick_train_test.prototxt", "--shape", "3,32,32").out
    assert "3,276,800" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_the_tops_that_need_a_name(wf: Run) -> None:
    Path("net.prototxt").write_text("""
        layer { name: "data" type: "Input" top: "data" top: "label"
          input_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "data" bottom: "label" }""")
    rows = wf("net", "show", "net.prototxt").out.splitlines()
    assert rows[2].split() == ["data", "Input", "→", "data,", "label", "2×3,", "2"]
    assert rows[3].split() == ["loss", "SoftmaxWithLoss", "data,", "label", "1"]


def test_a_drawing_in_a_new_folder(wf: Run) -> None:
    Path("net.prototxt").write_text("""
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 } } }""")
    assert wf("net", "show", "net.prototxt", "--draw", "new/net.svg").code == 0
    assert Path("new/net.svg").is_file()


def test_a_deploy_net_of_a_training_net(wf: Run) -> None:
    Path("lenet_train_test.prototxt").write_text((PROTOTXT / "lenet_train_test.prototxt").read_text())
    ran = wf("net", "deploy", "lenet_train_test.prototxt", "--shape", "1,28,28", "--json")
    assert ran.json == {"path": "lenet_deploy.prototxt", "input": [1, 1, 28, 28], "replaced": "pictures"}
    rows = wf("net", "show", "lenet_deploy.prototxt").out
    assert "1×1×28×28" in rows
    assert "prob" in rows
    again = wf("net", "deploy", "lenet_train_test.prototxt", "--shape", "1,28,28", code=2)
    assert "lenet_deploy.prototxt exists already" in again.err
    assert "is not a training net" in wf("net", "deploy", "lenet_deploy.prototxt", code=2).err
    assert "--shape 3,32,32" in wf("net", "deploy", "lenet_train_test.prototxt", "new.prototxt", code=2).err


def test_a_python_module_that_is_missing_names_layer_file_and_line(wf: Run) -> None:
    Path("net.prototxt").write_text("""layer { name: "x" type: "Input" top: "x"
      input_param { shape { dim: 1 dim: 3 } } }
    layer { name: "own" type: "Python" bottom: "x" top: "y" python_param { module: "nowhere" layer: "Own" } }""")
    ran = wf("net", "show", "net.prototxt", "--python", code=2)
    assert "layer 'own' (Python): module 'nowhere' cannot be imported" in ran.err
    assert "net.prototxt:3:5" in ran.err


def test_a_net_of_the_project_has_the_outputs_of_its_classes(trained: Run) -> None:
    def outputs(*arguments: str) -> list[int]:
        return wf("net", "show", *arguments, "--json").json["layers"][-1]["tops"]["prob"]

    wf = trained
    assert outputs("prototxt/cifar10_quick_deploy.prototxt") == [1, 2]
    assert outputs("generations/gen1/prototxt/deploy.prototxt") == [1, 2]
    shutil.copyfile("prototxt/cifar10_quick_deploy.prototxt", "other.prototxt")
    assert outputs("other.prototxt") == [1, 10]  # a file from elsewhere is shown as it is
    Path("prototxt/headless.prototxt").write_text(
        'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 } } }'
    )
    assert wf("net", "show", "prototxt/headless.prototxt", "--json").json["layers"]

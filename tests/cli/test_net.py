"""wf net."""

from __future__ import annotations

from pathlib import Path

from running import Run


def test_the_tops_that_need_a_name(wf: Run) -> None:
    Path("net.prototxt").write_text("""
        layer { name: "data" type: "Input" top: "data" top: "label"
          input_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "data" bottom: "label" }""")
    rows = wf("net", "show", "net.prototxt").out.splitlines()
    assert rows[2].endswith("2×3, 2  (data, label)")
    assert rows[3].split() == ["loss", "SoftmaxWithLoss", "data,", "label", "1"]


def test_a_drawing_in_a_new_folder(wf: Run) -> None:
    Path("net.prototxt").write_text("""
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 } } }""")
    assert wf("net", "show", "net.prototxt", "--draw", "new/net.svg").code == 0
    assert Path("new/net.svg").is_file()

from __future__ import annotations

import subprocess
import sys

import pytest
from google.protobuf import text_format

from workflow import engines
from workflow.engines.ready import statuses
from workflow.errors import UsageError
from workflow.formats import caffe_pb2


def net(kind):
    return text_format.Parse(f'layer {{ name: "a" type: "{kind}" top: "a" }}', caffe_pb2.NetParameter())


def test_names_and_statuses():
    assert engines.names() == ("torch", "caffe", "numpy")
    found = statuses()
    assert [status.name for status in found] == ["torch", "caffe", "numpy"]
    assert all(status.ready or status.hint for status in found)


def test_without_pytorch_the_others_are_told_and_training_says_what_to_do():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from workflow import engines\n"
        "from workflow.engines.ready import statuses\n"
        "from workflow.errors import EngineMissing\n"
        "print([(one.name, one.ready, bool(one.hint)) for one in statuses()][::2])\n"
        "try: engines.get('torch')\n"
        "except EngineMissing as error: print(error.exit_code, bool(error.hint))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[('torch', False, True), ('numpy', True, False)]", "6 True"]


def test_an_engine_that_there_is_not():
    with pytest.raises(UsageError, match="no engine 'touch'; there are: torch, caffe, numpy") as caught:
        engines.get("touch")
    assert caught.value.hint == "did you mean 'torch'?"


@pytest.mark.parametrize(
    ("kind", "asked", "images", "expected"),
    [
        ("Input", None, 1, "numpy"),
        ("Input", None, engines.SMALL_JOB, "numpy"),
        ("Input", None, engines.SMALL_JOB + 1, "torch"),
        ("Deconvolution", None, 1, "torch"),
        ("Input", "torch", 1, "torch"),
        ("Deconvolution", "numpy", 1, "numpy"),
        ("Input", "caffe", 1, "caffe"),
    ],
)
def test_who_looks(kind, asked, images, expected):
    assert engines.choose(net(kind), asked, images=images).name == expected


def test_the_list_of_engines_imports_none():
    program = "import sys, workflow.engines; workflow.engines.names(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

"""Small valid files of every format, for tests that read, damage or compare them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from workflow.formats import caffe_pb2
from workflow.formats.blobproto import from_array
from workflow.formats.lmdb import Writer


@pytest.fixture
def model() -> caffe_pb2.NetParameter:
    """Two layers with parameters, one without; no two sizes alike."""
    random = np.random.default_rng(7)
    net = caffe_pb2.NetParameter(name="small")
    net.layer.add(name="data", type="Input", top=["data"]).input_param.shape.add(dim=[2, 3, 7, 5])
    conv = net.layer.add(name="conv", type="Convolution", bottom=["data"], top=["conv"])
    conv.convolution_param.num_output = 4
    conv.convolution_param.kernel_h, conv.convolution_param.kernel_w = 3, 2
    conv.blobs.extend([from_array(random.normal(size=(4, 3, 3, 2))), from_array(random.normal(size=4))])
    ip = net.layer.add(name="ip", type="InnerProduct", bottom=["conv"], top=["ip"])
    ip.inner_product_param.num_output = 6
    ip.blobs.extend([from_array(random.normal(size=(6, 80))), from_array(random.normal(size=6))])
    return net


@pytest.fixture
def text_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a file and say where it is: `text_file("net.prototxt", "...")`."""

    def write(name: str, text: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Forty records `%04d`, each seventh one larger than a page."""
    folder = tmp_path / "some_lmdb"
    with Writer(folder) as writer:
        for index in range(40):
            writer.put(b"%04d" % index, bytes([index]) * (9000 if index % 7 == 0 else 50))
    return folder

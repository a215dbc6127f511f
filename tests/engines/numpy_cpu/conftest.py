"""One layer of the numpy engine at a time: its prototxt, arrays in, tops out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from google.protobuf import text_format
from numpy.typing import NDArray

from workflow.engines.numpy_cpu.session import Session
from workflow.formats import blobproto, caffe_pb2
from workflow.net.build import build

Array = NDArray[np.float32]
SHAPE = (2, 3, 7, 5)  # no two sizes alike: a swapped axis shows


def open_net(text: str, weights: caffe_pb2.NetParameter | None = None) -> Session:
    return Session(build(text_format.Parse(text, caffe_pb2.NetParameter()), phase="TEST"), weights)


def apply(layer: str, *bottoms: Array, blobs: Sequence[Array] = ()) -> dict[str, Array]:
    """All blobs of a net of Input layers x0, x1, ... and the layer, whose body is given without name and bottoms."""
    inputs = "".join(
        f'layer {{ name: "x{index}" type: "Input" top: "x{index}" input_param {{ shape {{ '
        f"{' '.join(f'dim: {size}' for size in bottom.shape)} }} }} }}"
        for index, bottom in enumerate(bottoms)
    )
    bottom = " ".join(f'bottom: "x{index}"' for index in range(len(bottoms)))
    net = text_format.Parse(f'name: "one" {inputs} layer {{ name: "one" {bottom} {layer} }}', caffe_pb2.NetParameter())
    net.layer[-1].blobs.extend(blobproto.from_array(blob) for blob in blobs)
    with Session(build(net, phase="TEST"), None) as session:
        return session.forward(**{f"x{index}": array for index, array in enumerate(bottoms)})


@pytest.fixture
def one_layer() -> Callable[..., dict[str, Array]]:
    return apply


@pytest.fixture
def a_net() -> Callable[..., Session]:
    return open_net


@pytest.fixture
def x() -> Array:
    """Numbers of both signs, all different, of shape (2, 3, 7, 5)."""
    return np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)

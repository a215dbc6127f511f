"""Receptive fields from geometry, against the support of gradients."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from workflow.errors import WorkflowError
from workflow.interpretation.differentiable import Differentiable
from workflow.models.model import Model
from workflow.net.receptive import Box

ROOT = Path(__file__).parents[2]


def support(net: Differentiable, blob: str, row: int, column: int) -> Box | None:
    """Where the gradient of a place, summed over its channels, is not 0 for any of some random pictures."""
    shape = net.shapes[net.model.input]
    x = torch.rand((24, *shape[1:]), generator=torch.Generator().manual_seed(row * 31 + column)).requires_grad_()
    value = net.run(x, until=(blob,)).tensor(blob)[:, :, row, column].sum()
    (gradient,) = torch.autograd.grad(value, [x])
    rows, columns = gradient.abs().sum((0, 1)).nonzero(as_tuple=True)
    if not len(rows):
        return None
    return Box(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)


def places(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Corners, the middle, and one somewhere."""
    height, width = shape[2:]
    return sorted({(0, 0), (height - 1, width - 1), (height // 2, width // 2), (height // 3, width - 1)})


def smooth(name: str) -> str:
    """A packaged net whose units all let gradients through: AVE pooling and Sigmoid see the same places."""
    text = (ROOT / "prototxt" / f"{name}_deploy.prototxt").read_text()
    return text.replace("pool: MAX", "pool: AVE").replace('type: "ReLU"', 'type: "Sigmoid"')


@pytest.mark.parametrize("name", ["cifar10_quick", "cifar10_full", "lenet"])
def test_packaged_nets(name, model):
    net = Differentiable(model(name, smooth(name)))
    for blob in net.names:
        if not net.is_map(blob):
            continue
        for row, column in places(net.shapes[blob]):
            assert net.fields.of(blob, row, column) == support(net, blob, row, column), (blob, row, column)


def test_max_pooling_sees_no_more(model):
    net = Differentiable(model("cifar10_quick"))
    for blob in ("conv1", "pool1", "conv3", "pool3"):
        for row, column in places(net.shapes[blob]):
            field, seen = net.fields.of(blob, row, column), support(net, blob, row, column)
            assert field is not None
            assert seen is not None
            assert field.top <= seen.top
            assert field.left <= seen.left
            assert field.bottom >= seen.bottom
            assert field.right >= seen.right


def test_known_sizes(model):
    net = Differentiable(model("cifar10_quick"))
    assert net.fields.of("conv1", 10, 12) == Box(8, 10, 13, 15)
    assert net.fields.of("pool1", 5, 5) == Box(8, 8, 15, 15)
    assert net.fields.of("conv1", 0, 31) == Box(0, 29, 3, 32)


INPUT = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 19 dim: 23 } } }'


def sliding(rng: np.random.Generator) -> str:
    """The type and the parameters of a layer that slides."""
    kernel = rng.integers(1, 5, 2)
    pad = int(rng.integers(0, min(2, int(kernel.min()))))
    sides = f"kernel_h: {kernel[0]} kernel_w: {kernel[1]} stride: {rng.integers(1, 4)} pad: {pad}"
    filler = 'weight_filler { type: "gaussian" std: 0.5 }'
    return str(
        rng.choice(
            [
                f'"Convolution" convolution_param {{ num_output: 3 {sides} dilation: {rng.integers(1, 3)} {filler} }}',
                f'"Deconvolution" convolution_param {{ num_output: 3 {sides} {filler} }}',
                f'"Pooling" pooling_param {{ pool: AVE {sides} }}',
                '"LRN" lrn_param { local_size: 3 alpha: 5 norm_region: WITHIN_CHANNEL }',
            ]
        )
    )


def fitting(seed: int, model: Callable[..., Model]) -> Differentiable:
    """A net of two to four sliding layers, with units between them that let gradients through."""
    rng = np.random.default_rng(seed)
    while True:
        blob, text = "data", INPUT
        for number in range(int(rng.integers(2, 5))):
            text += f'\nlayer {{ name: "l{number}" bottom: "{blob}" top: "y{number}" type: {sliding(rng)} }}'
            text += f'\nlayer {{ name: "s{number}" bottom: "y{number}" top: "x{number}" type: "Sigmoid" }}'
            blob = f"x{number}"
        text += f'\nlayer {{ name: "e" type: "Eltwise" bottom: "{blob}" bottom: "{blob}" top: "twice" }}'
        try:
            return Differentiable(model("random", text))
        except WorkflowError:  # a window that does not fit
            continue


@pytest.mark.parametrize("seed", range(40))
def test_random_nets(seed, model):
    net = fitting(seed, model)
    for row, column in places(net.shapes["twice"]):
        assert net.fields.of("twice", row, column) == support(net, "twice", row, column)


def test_layers_that_mix_all_places(model):
    net = Differentiable(model("cifar10_quick"))
    assert net.fields.of("ip1", 0, 0) == Box(0, 0, 32, 32)
    text = (
        INPUT
        + """
layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 2 kernel_size: 3 } }
layer { name: "m" type: "MVN" bottom: "c" top: "m" }"""
    )
    net = Differentiable(model("mixed", text))
    assert net.fields.of("m", 0, 0) == Box(0, 0, 19, 23)

"""Pictures rebuilt from activations."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from workflow.errors import UsageError
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.synthesis.decoder import Decoder, unlikeness
from workflow.interpretation.synthesis.image_similarity import psnr, ssim
from workflow.interpretation.synthesis.invert import rebuild
from workflow.interpretation.synthesis.reconstruction import Settings, feature_error, invert, stages

QUICK = Settings(steps=60)


@pytest.mark.parametrize("name", ["cifar10_full", "lenet"])
def test_more_steps_come_nearer(name, model, picture):
    net = Differentiable(model(name))
    pixels = np.asarray(net.model.read(picture))[None]
    few, many = (
        invert(net, pixels, ["pool2"] * len(pixels), dataclasses.replace(QUICK, steps=steps)) for steps in (3, 60)
    )
    assert many.shape == pixels.shape
    assert many.dtype == np.uint8
    error = feature_error(net, pixels, many, "pool2")[0]
    assert error < feature_error(net, pixels, few, "pool2")[0] / 2
    assert feature_error(net, pixels, pixels, "pool2")[0] == 0


def test_every_stage(model, picture):
    net = model("lenet")
    assert stages(Differentiable(net)) == ["conv1", "conv2", "pool2", "ip1"]
    found = rebuild(net, picture, settings=QUICK)
    assert [one.blob for one in found.rebuilt] == ["conv1", "conv2", "pool2", "ip1"]
    first = found.rebuilt[0]
    assert first.ssim == pytest.approx(ssim(found.pixels, first.pixels))
    assert found.json()["blob"] == "ip1"
    assert found.rebuilt[0].ssim > found.rebuilt[-1].ssim  # the less is left, the deeper


def test_what_is_not_there(model, picture):
    with pytest.raises(UsageError, match="no blob 'pool9'"):
        rebuild(model("lenet"), picture, blobs=["pool9"])
    with pytest.raises(UsageError, match="no pictures to train a decoder on"):
        rebuild(model("lenet"), picture, train=True)


@pytest.mark.parametrize(
    ("shape", "picture"), [((1, 7, 5, 5), (3, 32, 30)), ((1, 50), (1, 28, 28)), ((1, 4, 30, 31), (3, 32, 30))]
)
def test_decoders_of_any_blob(shape, picture):
    painted = Decoder(shape, picture).paint(torch.ones(2, *shape[1:]))
    assert painted.shape == (2, *picture)
    assert painted.dtype == np.uint8


def test_likeness():
    rng = np.random.default_rng(2)
    one = rng.integers(0, 256, (3, 20, 24), dtype=np.uint8)
    near = (one.astype(int) + rng.integers(-9, 10, one.shape)).clip(0, 255).astype(np.uint8)
    assert ssim(one, one) == pytest.approx(1)
    assert psnr(one, one) == float("inf")
    assert ssim(one, rng.integers(0, 256, one.shape, dtype=np.uint8)) < 0.1 < 0.9 < ssim(one, near) < 1
    error = np.square(one.astype(float) - near).mean()
    assert psnr(one, near) == pytest.approx(20 * np.log10(255 / np.sqrt(error)))
    flat, other = np.full((1, 16, 16), 100, np.uint8), np.full((1, 16, 16), 150, np.uint8)
    c1 = (0.01 * 255) ** 2
    assert ssim(flat, other) == pytest.approx((2 * 100 * 150 + c1) / (100**2 + 150**2 + c1))


def test_the_quick_unlikeness_is_nearly_one_less_ssim():
    rng = np.random.default_rng(3)
    one = np.kron(rng.integers(0, 256, (3, 8, 8)), np.ones((1, 4, 4))).astype(np.uint8)
    other = (0.6 * one + 0.4 * rng.integers(0, 256, one.shape)).astype(np.uint8)
    quick = float(unlikeness(torch.from_numpy(one)[None] / 255, torch.from_numpy(other)[None] / 255))
    assert quick == pytest.approx(1 - ssim(one, other), abs=0.08)

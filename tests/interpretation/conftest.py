from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_generation import foreign, prepared, settings, trained

from workflow import pycaffe
from workflow.config import Config
from workflow.models.loading import load
from workflow.models.model import Model

ROOT = Path(__file__).parents[2]
__all__ = ["foreign", "prepared", "settings", "trained"]


@pytest.fixture(autouse=True)
def _two_threads() -> None:
    torch.set_num_threads(2)


@pytest.fixture
def model(project: Path) -> Callable[..., Model]:
    """One of the packaged nets with random weights: model("lenet"), model("cifar10_full"), model("cifar10_quick")."""

    def make(name: str, deploy: str | None = None) -> Model:
        net = project / f"{name}.prototxt"
        if deploy is None:
            shutil.copyfile(ROOT / "prototxt" / f"{name}_deploy.prototxt", net)
        else:
            net.write_text(deploy)
        pycaffe.set_random_seed(7)
        opened = pycaffe.Net(net, pycaffe.TEST)
        for blobs in opened.params.values():
            size = blobs[0].data.shape
            blobs[0].data[...] = np.random.default_rng(len(size)).normal(0, (2 / np.prod(size[1:])) ** 0.5, size)
            if len(blobs) > 1:  # biases of deploy nets are 0
                blobs[1].data[...] = np.random.default_rng(3).normal(0, 0.1, blobs[1].data.shape)
        opened.save(project / f"{name}.caffemodel")
        grey = opened.blobs["data"].channels == 1
        return load(
            Config(),
            snapshot=f"{name}.caffemodel",
            net=net,
            mean="120" if grey else "110,120,130",
            channel_order="GRAY" if grey else "RGB",
            scale=0.02,
        )

    return make


@pytest.fixture
def picture(project: Path) -> Path:
    """A picture of 40 x 36 with something in it."""
    rows, columns = np.mgrid[0:36, 0:40]
    waves = 128 + 90 * np.sin(rows / 3) + 30 * np.cos(columns / 5)
    pixels = np.stack([waves, waves[::-1], np.where((rows - 18) ** 2 + (columns - 20) ** 2 < 90, 250, 20)], axis=2)
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(project / "image.png")
    return project / "image.png"

"""Small pictures and settings for the tests of this folder."""

from __future__ import annotations

import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workflow.config import Config, Prepare, Preprocessing, Split, typed

Draw = Callable[..., Path]


@pytest.fixture
def draw() -> Draw:
    """Write one picture: blocks of random colour, another one for each seed."""

    def write(
        path: Path, seed: int = 0, *, size: tuple[int, int] = (11, 9), mode: str = "RGB", **options: object
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize(size, Image.Resampling.NEAREST).convert(mode).save(path, **options)
        return path

    return write


@pytest.fixture
def labelled(draw: Draw) -> Callable[..., Path]:
    """Write labelled folders: `labelled(root, cat=6, dog=5)`; every picture is another one."""

    def write(root: Path, *, first: int = 0, **counts: int) -> Path:
        for name, count in counts.items():
            (root / name).mkdir(parents=True, exist_ok=True)
            for index in range(first, first + count):
                draw(root / name / f"{index}.png", zlib.crc32(name.encode()) + index)
        return root

    return write


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Config]:
    """Settings for pictures of 3 x 7 x 5, half of them test pictures, in generations/ of the temporary folder."""

    def make(*, test: float = 0.5, **prepare: object) -> Config:
        return Config(
            images=(tmp_path / "images",),
            generations=tmp_path / "generations",
            preprocessing=Preprocessing(width=5, height=7),
            split=Split(test=test, validation=0.0),
            prepare=typed(prepare, Prepare),
        )

    return make


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach, unlike those of tmp_path."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def nobody() -> Callable[[], AbstractContextManager[None]]:
    """A block that runs without root's right to read everything."""

    @contextmanager
    def block() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return block

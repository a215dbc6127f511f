"""A project with a trained snapshot and a pile of pictures: drawn ones, or a folder's under several names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

WF = Path(sys.executable).parent / "wf"


def project(folder: Path) -> Path:
    """A project of two classes of drawn pictures, trained for a hundred iterations."""
    if not (folder / "generations/gen1/snapshots").exists():
        subprocess.run([WF, "init", folder, "-q"], check=True, stdout=subprocess.DEVNULL)
        for seed, name in enumerate(("rough", "smooth")):
            draw(folder / "images" / name, 150, seed)
        for words in (("prepare",), ("train", "--max-iter", "100")):
            subprocess.run([WF, *words, "-q"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder


def pile(folder: Path, count: int, source: Path | None, *, distinct: bool = False) -> Path:
    """A folder of `count` pictures in two classes: hard links to those of `source`, or to a thousand drawn ones.

    Distinct ones are copies instead, with their number behind the picture.
    """
    if not folder.exists():
        known = (
            sorted(path for path in source.rglob("*.*") if path.is_file())
            if source
            else draw(folder / ".drawn", 1000, 7)
        )
        for number in range(count):
            picture = number % len(known)
            place = folder / f"class{picture % 2}" / f"{number:07}{known[0].suffix}"
            place.parent.mkdir(parents=True, exist_ok=True)
            if distinct:
                place.write_bytes(known[picture].read_bytes() + b"%d" % number)
            else:
                os.link(known[picture], place)
        shutil.rmtree(folder / ".drawn", ignore_errors=True)
    return folder


def draw(folder: Path, count: int, seed: int) -> list[Path]:
    """JPEGs of 48 x 48 pixels: noise, the smoother the larger the seed."""
    generator = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:05}.jpg" for number in range(count)]
    for path in paths:
        small = generator.integers(0, 256, (48 >> min(seed, 4),) * 2 + (3,), np.uint8)
        Image.fromarray(small).resize((48, 48)).save(path)
    return paths

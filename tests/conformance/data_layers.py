"""Layers that bring data in, where the data are not random; random ones have tests of their own."""

from __future__ import annotations

import io

import h5py
import numpy as np
from conformance.case import Case, Rng, elsewhere, flag, floats, generator, maybe, shape
from PIL import Image

from workflow.formats import blobproto

elsewhere(
    "MemoryData",
    why="a script hands its arrays over; 20 random nets equal real Caffe's",
    test="tests/layers/test_memory_data.py",
)
elsewhere(
    "HDF5Output", why="it writes a file; 20 random nets equal real Caffe's", test="tests/layers/test_hdf5_layers.py"
)
elsewhere(
    "Python", why="it is the user's own class; the same module runs in real Caffe", test="tests/layers/test_python.py"
)


@generator("DummyData")
def dummy_data(rng: Rng) -> Case:
    tops = int(rng.integers(1, 4))
    fillers = [f'data_filler {{ type: "constant" value: {value:.3f} }}' for value in rng.normal(size=tops)]
    kept = fillers[: int(rng.choice([0, 1, tops]))]
    if rng.integers(2):
        sizes = [f"shape {{ {' '.join(f'dim: {n}' for n in shape(rng))} }}" for _ in range(int(rng.choice([1, tops])))]
    else:
        names = ("num", "channels", "height", "width")
        sizes = [f"{name}: {rng.integers(1, 6)}" for name in names for _ in range(int(rng.choice([1, tops])))]
    return Case(layer=f"dummy_data_param {{ {' '.join([*kept, *sizes])} }}", tops=tops, backward=False)


@generator("HDF5Data")
def hdf5_data(rng: Rng) -> Case:
    tops, many = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    shapes = [shape(rng, int(rng.integers(0, 4))) for _ in range(tops)]
    files = {"list.txt": "\n".join(f"{i}.h5" for i in range(many)).encode()}
    for number in range(many):
        rows = int(rng.integers(1, 6))
        memory = io.BytesIO()
        with h5py.File(memory, "w") as file:
            for top, rest in enumerate(shapes):
                kind = rng.choice(["f4", "f8", "i4", "u1"])
                file[f"y{top}"] = rng.uniform(0, 100, size=(rows, *rest)).astype(kind)
        files[f"{number}.h5"] = memory.getvalue()
    param = f'hdf5_data_param {{ source: "list.txt" batch_size: {rng.integers(1, 8)} }}'
    return Case(layer=param, tops=tops, backward=False, forwards=3, files=files)


def _png(rng: Rng, height: int, width: int, channels: int = 3) -> bytes:
    size = (height, width, channels) if channels > 1 else (height, width)
    memory = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, size=size, dtype=np.uint8)).save(memory, "PNG")
    return memory.getvalue()


def subtraction(rng: Rng, channels: int, height: int, width: int) -> tuple[str, dict[str, bytes]]:
    """Lines of `transform_param` that subtract something, and the files that they need."""
    kind = int(rng.integers(4))
    if kind == 0:
        return "", {}
    if kind < 3:
        count = 1 if kind == 1 else channels
        return " ".join(f"mean_value: {value:.2f}" for value in rng.uniform(0, 200, size=count)), {}
    mean = floats(rng, (1, channels, height, width), low=0, high=200)
    return 'mean_file: "mean.binaryproto"', {"mean.binaryproto": blobproto.from_array(mean).SerializeToString()}


@generator("ImageData")
def image_data(rng: Rng) -> Case:
    """Grey pictures in colour, but not the other way round: decoders differ by one in the grey of a colour."""
    height, width = (int(side) for side in rng.choice(np.arange(5, 12), size=2, replace=False))
    color, resized = bool(rng.integers(2)), bool(rng.integers(2))
    channels = 3 if color else 1
    files, lines = {}, []
    for number in range(int(rng.integers(2, 5))):
        sides = rng.integers(4, 13, size=2) if resized else (height, width)
        files[f"a {number}.png"] = _png(rng, int(sides[0]), int(sides[1]), int(rng.choice([1, channels])))
        lines.append(f" {number}.png {rng.integers(0, 9)}")
    size = f"new_height: {height} new_width: {width}" if resized else ""
    text, more = subtraction(rng, channels, height, width)
    # a picture's middle is cut out in TEST phase; in TRAIN phase the place is random
    crop = maybe(rng, f"crop_size: {rng.integers(2, 5)}")
    files |= {"list.txt": "\n".join(lines).encode()} | more
    param = (
        f'source: "list.txt" root_folder: "a" batch_size: {rng.integers(1, 5)} is_color: {str(color).lower()} {size}'
    )
    transform = f"transform_param {{ scale: {rng.uniform(0.1, 2):.3f} {crop} {text} }}"
    return Case(
        layer=f"phase: TEST image_data_param {{ {param} }} {transform}", tops=2, backward=False, forwards=2, files=files
    )


@generator("WindowData")
def window_data(rng: Rng) -> Case:
    """One window of each kind: which one is drawn is random."""
    height, width = (int(side) for side in rng.choice(np.arange(14, 30), size=2, replace=False))
    crop = int(rng.integers(5, 12))
    boxes = []
    for _ in range(3):
        x1, y1 = int(rng.integers(0, width - 6)), int(rng.integers(0, height - 6))
        boxes.append(f"{x1} {y1} {rng.integers(x1 + 3, width)} {rng.integers(y1 + 3, height)}")
    windows = f"2 0.8 {boxes[0]}\n3 0.1 {boxes[1]}\n4 0.5 {boxes[2]}\n"
    side = crop + int(rng.integers(0, 5))
    text, more = subtraction(rng, 3, side, side)
    files = {
        "a.png": _png(rng, height, width),
        "w.txt": f"# 0\na.png\n3 {height} {width}\n3\n{windows}".encode(),
    } | more
    thresholds = "fg_threshold: 0.7 bg_threshold: 0.4"
    fraction = f"batch_size: {rng.integers(2, 6)} fg_fraction: {rng.uniform(0.1, 0.9):.2f}"
    mode = f'crop_mode: "{rng.choice(["warp", "square"])}" context_pad: {rng.integers(0, (crop - 1) // 2)}'
    scale = f"scale: {rng.uniform(0.1, 2):.3f} cache_images: {flag(rng)}"
    param = f'window_data_param {{ source: "w.txt" {thresholds} {fraction} {mode} {scale} }}'
    transform = f"transform_param {{ crop_size: {crop} {text} }}"
    return Case(layer=f"{param} {transform}", tops=2, backward=False, files=files)

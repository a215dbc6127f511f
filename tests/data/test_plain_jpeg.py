"""The short way gives what the long way gives, or nothing."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from workflow.config import Preprocessing
from workflow.data.pictures import interpret
from workflow.data.plain_jpeg import read_plain
from workflow.data.sniff import PictureError

LIMITS = {"width": 64, "height": 64, "max_pixels": 10_000}


def jpeg(mode: str = "RGB", size: tuple[int, int] = (11, 9), **options: object) -> bytes:
    pixels = np.random.default_rng(3).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).resize(size).convert(mode).save(stream, "JPEG", **options)
    return stream.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", [{}, {"quality": 20}, {"subsampling": 0}, {"optimize": True}, {"comment": b"hi"}])
def test_pixels_are_those_of_the_long_way(mode, options):
    data = jpeg(mode, **options)
    image = read_plain(data, **LIMITS)
    assert image is not None
    assert image.mode == mode
    assert image.tobytes() == JpegImageFile(io.BytesIO(data)).tobytes()


def test_real_pictures(shared_data):
    for path in sorted((shared_data / "golden" / "authorship-recognition" / "data").glob("*.jpg"))[:12]:
        data = path.read_bytes()
        image = read_plain(data, 2**20, 2**20, 10**8)
        if image is not None:
            assert image.tobytes() == JpegImageFile(io.BytesIO(data)).tobytes()


@pytest.mark.parametrize(
    "data",
    [
        jpeg("CMYK"),
        jpeg(progressive=True),
        jpeg(exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0"),
        jpeg(icc_profile=b"profile"),
        jpeg(size=(64, 64)),
        jpeg(size=(101, 100)),
        jpeg()[:-40],
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xc0",
    ],
    ids=["cmyk", "progressive", "exif", "icc", "large", "over the limit", "truncated", "cut", "cut in a header"],
)
def test_whatever_is_not_plain_takes_the_long_way(data):
    assert read_plain(data, **LIMITS) is None


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_are_judged_alike(data):
    good = bytearray(jpeg())
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(3, len(good) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(good[: data.draw(st.integers(3, len(good)))])
    image = read_plain(damaged, **LIMITS)
    if image is not None:
        long = JpegImageFile(io.BytesIO(damaged))
        assert image.tobytes() == long.tobytes()
    assert fault(damaged) in ("", "P07", "P09", "P12", "P13")  # a flipped bit may well ask for 12 bits


def fault(data: bytes) -> str:
    try:
        interpret(data, Preprocessing(width=5, height=7))
    except PictureError as error:
        return error.fault
    return ""

"""Large pictures: the same pixels as by the plain way, in far less memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workflow.config import Preprocessing
from workflow.data import decoding_cost, large_webp, pictures, strips
from workflow.data.pictures import decode, load_rgb
from workflow.data.sniff import PictureError


@pytest.fixture
def by_strips(monkeypatch):
    """Any picture counts as a large one, and comes in strips and bands of a few rows."""

    def switch() -> None:
        monkeypatch.setattr(pictures, "LARGE", 0)
        monkeypatch.setattr(strips, "_PIXELS", 150)
        monkeypatch.setattr(large_webp, "_BAND", 400)

    return switch


def picture(mode: str) -> Image.Image:
    rng = np.random.default_rng(3)
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 65536, (53, 38), dtype=np.uint16))
    colours = np.kron(rng.integers(0, 256, (11, 8, 4), dtype=np.uint8), np.ones((5, 5, 1), np.uint8))[:53, :38]
    image = Image.fromarray(colours)
    return image.convert("RGB").quantize(16) if mode == "P" else image.convert(mode)


@pytest.mark.parametrize("order", ["RGB", "BGR", "GRAY"])
@pytest.mark.parametrize("fit", ["squash", "crop", "pad"])
@pytest.mark.parametrize("kernel", ["bilinear", "lanczos", "opencv"])
def test_strips_give_the_same_pixels(tmp_path, by_strips, order, fit, kernel):
    preprocessing = Preprocessing(
        width=6, height=9, fit=fit, kernel=kernel, channel_order=order, background=(9, 99, 199)
    )
    files = []
    for mode in ("RGB", "RGBA", "L", "LA", "P", "I;16"):
        files.append(tmp_path / f"{mode}.png")
        picture(mode).save(files[-1], **({"transparency": 3} if mode == "P" else {}))
    plain = [decode(file, preprocessing) for file in files]
    by_strips()
    for file, expected in zip(files, plain, strict=True):
        np.testing.assert_array_equal(decode(file, preprocessing), expected, err_msg=file.name)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "webp", "avif"])
def test_strips_of_turned_pictures(tmp_path, by_strips, orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{kind}"
    picture("RGBA").save(path, exif=exif, **({"lossless": True, "exact": True} if kind == "webp" else {}))
    preprocessing = Preprocessing(width=6, height=9, fit="crop")
    plain, shown = decode(path, preprocessing), load_rgb(path, max_side=20)
    by_strips()
    np.testing.assert_array_equal(decode(path, preprocessing), plain)
    assert load_rgb(path, max_side=20).shape == shown.shape
    assert np.abs(load_rgb(path, max_side=20).astype(int) - shown).mean() < 12  # Pillow halves it first


def test_a_picture_of_the_right_size_is_left_alone_by_strips(tmp_path, by_strips):
    path = tmp_path / "right.png"
    picture("RGBA").save(path)
    preprocessing = Preprocessing(width=38, height=53)
    plain = decode(path, preprocessing)
    by_strips()
    np.testing.assert_array_equal(decode(path, preprocessing), plain)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("method", range(7))
@pytest.mark.parametrize("orientation", [1, 6])
def test_lossy_webp_is_the_same_by_bands(tmp_path, by_strips, mode, method, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a.webp"
    picture(mode).save(path, quality=75, method=method, exact=True, exif=exif)
    plain = decode(path, Preprocessing(width=6, height=9))
    by_strips()
    np.testing.assert_array_equal(decode(path, Preprocessing(width=6, height=9)), plain)


@pytest.mark.parametrize(("mode", "lossless"), [("RGBA", True), ("RGBA", False), ("RGB", False), ("RGB", True)])
@pytest.mark.parametrize("whole", [True, False])
def test_the_first_frame_of_an_animation(tmp_path, by_strips, mode, lossless, whole):
    path = tmp_path / "moving.webp"
    first = picture(mode)
    if not whole:  # the encoder then stores that part of the canvas alone
        first = Image.new("RGBA", first.size)
        first.paste(picture("RGBA").crop((0, 0, 20, 20)), (10, 10))
    other = first.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    first.save(path, save_all=True, append_images=[other], lossless=lossless, exact=True, duration=100)
    preprocessing = Preprocessing(width=6, height=9)
    plain = decode(path, preprocessing)
    by_strips()
    np.testing.assert_array_equal(decode(path, preprocessing), plain)


def test_without_libwebps_plain_decoder_pillow_decodes(tmp_path, by_strips, monkeypatch):
    path = tmp_path / "a.webp"
    picture("RGBA").save(path, lossless=True)
    plain = decode(path, Preprocessing(width=6, height=9))
    by_strips()
    monkeypatch.setattr(pictures, "libwebp", lambda: None)
    np.testing.assert_array_equal(decode(path, Preprocessing(width=6, height=9)), plain)


def test_p07_a_damaged_large_webp(tmp_path, by_strips):
    path = tmp_path / "cut.webp"
    Image.effect_noise((40, 50), 90).convert("RGB").save(path, lossless=True)
    whole = path.read_bytes()
    by_strips()
    assert decode(path, Preprocessing(width=6, height=9)).any()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PictureError) as caught:
        decode(path, Preprocessing(width=6, height=9))
    assert caught.value.kind in ("truncated", "damaged")


_PEAK = """
import pathlib, sys
from workflow.config import Preprocessing
from workflow.data.pictures import decode, load_rgb
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
plain, opencv = Preprocessing(), Preprocessing(kernel="opencv")
for read in (lambda path: decode(path, plain), lambda path: decode(path, opencv), load_rgb):
    for path in sys.argv[1:]:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
        before = peak()
        read(pathlib.Path(path))
        print(peak() - before, path)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux to measure memory")
def test_p12_no_picture_takes_more_than_eight_bytes_for_a_pixel(tmp_path):
    side = 2500  # 6 megapixels; 50 megapixels take 400 MB then
    files = [
        tmp_path / name for name in ("grey16.png", "alpha.png", "grey_alpha.png", "palette.png", "alpha.webp", "c.avif")
    ]
    Image.new("I;16", (side, side), 40000).save(files[0], compress_level=1)
    Image.new("RGBA", (side, side), (9, 99, 199, 128)).save(files[1], compress_level=1)
    Image.new("LA", (side, side), (9, 128)).save(files[2], compress_level=1)
    Image.new("P", (side, side), 1).save(files[3], compress_level=1, transparency=0)
    Image.new("RGBA", (side, side), (9, 99, 199, 128)).save(files[4], lossless=True, method=0)
    Image.new("RGB", (side, side), (9, 99, 199)).save(files[5], speed=10)
    done = subprocess.run([sys.executable, "-c", _PEAK, *files], capture_output=True, text=True, check=True)
    peaks = [line.split() for line in done.stdout.splitlines()]
    assert len(peaks) == 3 * len(files)
    most = (
        8 * side * side / 2**20 + 5
    )  # MB for what does not grow with the picture: decoders' own memory, the allocator
    assert {name: float(used) for used, name in peaks if float(used) > most} == {}


def test_p12_kinds_that_take_more_for_a_pixel_have_a_lower_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding_cost, "LARGE", 100)
    see_through, progressive, moving = tmp_path / "a.avif", tmp_path / "b.jpg", tmp_path / "c.webp"
    Image.new("RGBA", (40, 25), (1, 2, 3, 4)).save(see_through)
    Image.new("RGB", (40, 25), (1, 2, 3)).save(progressive, progressive=True)
    frames = [Image.new("RGB", (40, 25), (9 * index, 2, 3)) for index in range(3)]
    frames[0].save(moving, save_all=True, append_images=frames[1:])
    assert decode(see_through, Preprocessing(), max_pixels=1375).any()
    with pytest.raises(PictureError, match="more than the limit of 0.000999 for AVIF with transparency") as caught:
        decode(see_through, Preprocessing(), max_pixels=1374)
    assert caught.value.hint == "set prepare.max_pixels to 1375 in the settings"
    assert decode(progressive, Preprocessing(), max_pixels=1000).any()
    with pytest.raises(PictureError, match="for progressive JPEG with the opencv kernel, which takes 10 bytes"):
        decode(progressive, Preprocessing(kernel="opencv"), max_pixels=1249)
    assert decode(moving, Preprocessing(), max_pixels=1000).any()  # its first frame fills it

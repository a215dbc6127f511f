"""The one decode path: golden pixels, orientation, refusals."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from PIL import Image, features

from workflow.config import Preprocessing
from workflow.data.pictures import decode, interpret, load_rgb
from workflow.data.sniff import PictureError
from workflow.errors import DataError, EnvironmentFault

TWO = Preprocessing(width=2, height=1)  # for pictures of two pixels, which no resize touches
SMALL = Preprocessing(width=5, height=7)
RED, BLUE = (255, 0, 0), (0, 0, 255)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def pair(mode: str, left: object, right: object) -> Image.Image:
    image = Image.new(mode, (2, 1), left)
    image.putpixel((1, 0), right)
    return image


def pixels(data: bytes, **options: object) -> list[list[int]]:
    """The two pixels of a picture, each with its channels."""
    got = decode(data, structs.replace(TWO, **options))
    assert got.dtype == np.uint8
    assert got.flags.c_contiguous
    return got[:, 0, :].T.tolist()


# ---- golden pixels --------------------------------------------------------------------------------------------


def test_channel_orders():
    data = saved(pair("RGB", (10, 20, 30), (40, 50, 60)))
    assert pixels(data) == [[10, 20, 30], [40, 50, 60]]
    assert pixels(data, channel_order="BGR") == [[30, 20, 10], [60, 50, 40]]
    assert pixels(data, channel_order="GRAY") == [[18], [48]]  # 0.299 R + 0.587 G + 0.114 B


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "JPEG"])
def test_grey_pictures_become_colour(kind):
    for got in pixels(saved(pair("L", 100, 100), kind)):
        assert got == [100, 100, 100]


def test_p16_alpha_shows_the_background():
    data = saved(pair("RGBA", (255, 0, 0, 128), (9, 9, 9, 0)))
    assert pixels(data) == [[255, 127, 127], [255, 255, 255]]
    assert pixels(data, background=(0, 100, 0)) == [[128, 50, 0], [0, 100, 0]]
    assert pixels(data, background=(0, 100, 0), channel_order="BGR") == [[0, 50, 128], [0, 100, 0]]
    assert pixels(saved(pair("LA", (0, 255), (0, 0)))) == [[0, 0, 0], [255, 255, 255]]


def test_p16_transparent_colours_of_palette_rgb_and_grey():
    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((1, 0), 1)
    assert pixels(saved(palette)) == [[*RED], [*BLUE]]
    assert pixels(saved(palette, transparency=1)) == [[*RED], [255, 255, 255]]
    assert pixels(saved(palette, "GIF", transparency=0)) == [[255, 255, 255], [*BLUE]]
    assert pixels(saved(pair("RGB", RED, BLUE), transparency=RED)) == [[255, 255, 255], [*BLUE]]
    assert pixels(saved(pair("L", 7, 9), transparency=9), background=(1, 2, 3)) == [[7, 7, 7], [1, 2, 3]]


def test_p16_cmyk_by_the_plain_formula():
    image = Image.new("CMYK", (16, 16), (255, 0, 0, 0))  # cyan
    got = decode(saved(image, "JPEG", quality=100), Preprocessing(width=16, height=16))
    assert np.abs(got[:, 0, 0].astype(int) - (0, 255, 255)).max() <= 2


def test_p15_sixteen_bits_are_scaled_not_clipped():
    wide = np.array([[0, 128, 129, 40000, 65535]], np.uint16)
    preprocessing = Preprocessing(width=5, height=1, channel_order="GRAY")
    picture = interpret(saved(Image.fromarray(wide)), preprocessing)
    assert picture.pixels[0, 0].tolist() == [0, 0, 1, 156, 255]  # x / 257, rounded
    assert picture.notes == ("16-bit",)


def test_p15_sixteen_bits_with_a_transparent_value():
    wide = Image.fromarray(np.array([[1000, 40000]], np.uint16))
    assert pixels(saved(wide, transparency=40000), background=(1, 2, 3)) == [[4, 4, 4], [1, 2, 3]]


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [(1, "ab/cd"), (2, "ba/dc"), (3, "dc/ba"), (4, "cd/ab"), (5, "ac/bd"), (6, "ca/db"), (7, "db/ca"), (8, "bd/ac")],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_p17_exif_orientation(orientation, upright, kind):
    grey = {"a": 10, "b": 80, "c": 160, "d": 240}
    image = Image.fromarray(np.kron(np.array([[10, 80], [160, 240]], np.uint8), np.ones((8, 8), np.uint8)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(image.convert("RGB"), kind, exif=exif, **options)
    got = decode(data, Preprocessing(width=2, height=2, kernel="box"))[0]
    expected = [[grey[letter] for letter in row] for row in upright.split("/")]
    assert np.abs(got.astype(int) - expected).max() <= 3


def test_p17_a_picture_on_its_side_is_measured_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.new("RGB", (40, 20)), "JPEG", exif=exif)
    assert load_rgb(data).shape == (40, 20, 3)


def test_broken_exif_does_not_make_a_picture_unreadable():
    assert decode(saved(Image.new("RGB", (8, 8)), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"), SMALL).shape == (
        3,
        7,
        5,
    )


def test_p14_only_the_first_frame():
    first, second = Image.new("RGB", (16, 16), RED), Image.new("RGB", (16, 16), BLUE)
    for kind in ("GIF", "PNG", "WEBP", "MPO"):
        picture = interpret(saved(first, kind, save_all=True, append_images=[second]), SMALL)
        assert picture.pixels[0].min() >= 250
        assert picture.pixels[2].max() <= 5
        assert picture.format == ("JPEG" if kind == "MPO" else kind)
        assert picture.notes == (() if kind == "GIF" else ("frames",))


def test_p18_small_pictures_are_enlarged_and_noted():
    picture = interpret(saved(Image.new("RGB", (1, 1), RED)), SMALL)
    assert picture.pixels[:, 3, 2].tolist() == [255, 0, 0]
    assert picture.notes == ("upscaled",)
    assert interpret(saved(Image.new("L", (65500, 1))), SMALL).pixels.shape == (3, 7, 5)


def test_large_jpegs_are_shrunk_by_the_decoder_with_hardly_a_difference():
    coarse = Image.fromarray(np.random.default_rng(4).integers(0, 256, (6, 8, 3), dtype=np.uint8))
    image = coarse.resize((800, 600), Image.Resampling.BICUBIC)
    whole = np.asarray(image.resize((5, 7), Image.Resampling.BILINEAR)).transpose(2, 0, 1).astype(int)
    got = decode(saved(image, "JPEG", quality=95), SMALL)
    assert np.abs(got - whole).max() <= 3


# ---- refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "WEBP"])
def test_p07_truncated_picture(kind):
    noise = np.random.default_rng(5).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), kind)
    with pytest.raises(PictureError) as caught:
        decode(data[: len(data) // 2], SMALL)
    assert caught.value.fault == "P07"
    assert caught.value.kind == "truncated" if kind != "WEBP" else caught.value.kind in ("truncated", "damaged")


def test_p07_bad_checksum_of_a_png():
    data = bytearray(saved(Image.new("RGB", (9, 9))))
    data[30] ^= 1  # in the CRC of the header
    with pytest.raises(PictureError, match="damaged"):
        decode(bytes(data), SMALL)


def header_only(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    tail = struct.pack(">I", zlib.crc32(chunk)) + b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + tail


def test_p12_bombs_are_refused_by_their_header():
    with pytest.raises(PictureError, match="20000×20000 = 400 Mpx, more than the limit of 50") as caught:
        decode(header_only(20000, 20000), SMALL)
    assert caught.value.hint == "set prepare.max_pixels to 400000000 in the settings"
    jpeg = saved(Image.new("RGB", (30, 20)), "JPEG")
    with pytest.raises(PictureError, match="more than the limit"):
        decode(jpeg, SMALL, max_pixels=599)
    assert decode(jpeg, SMALL, max_pixels=600).shape == (3, 7, 5)


def test_p13_the_format_is_decided_by_content(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(saved(Image.new("RGB", (9, 9)), "TIFF"))
    with pytest.raises(PictureError, match=r"picture\.png is TIFF, which is not accepted"):
        decode(path, SMALL)


def test_p10_a_wrong_extension_does_not_matter(tmp_path):
    path = tmp_path / "really_png.jpg"
    path.write_bytes(saved(Image.new("RGB", (9, 9), RED)))
    assert decode(path, SMALL)[:, 0, 0].tolist() == [255, 0, 0]


def test_i01_errors_name_the_file(tmp_path, nobody, open_folder):
    path = tmp_path / "image.png"
    path.write_bytes(saved(Image.fromarray(np.random.default_rng(6).integers(0, 256, (40, 40), dtype=np.uint8)))[:300])
    with pytest.raises(PictureError, match=r"image\.png is truncated") as caught:
        decode(path, SMALL)
    assert caught.value.exit_code == 3
    with pytest.raises(DataError, match="missing.png does not exist"):
        decode(tmp_path / "missing.png", SMALL)
    with pytest.raises(DataError, match="is a folder, expected a picture"):
        load_rgb(tmp_path)
    secret = open_folder / "secret.png"
    secret.write_bytes(b"")
    secret.chmod(0)
    with nobody(), pytest.raises(EnvironmentFault, match="permission denied"):
        decode(secret, SMALL)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "BMP", "GIF", "WEBP"]), st.data())
def test_damaged_bytes_give_pixels_or_a_reason(kind, data):
    good = bytearray(saved(Image.fromarray(np.arange(300, dtype=np.uint8).reshape(10, 10, 3)), kind))
    for _ in range(data.draw(st.integers(0, 6))):
        good[data.draw(st.integers(12, len(good) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(good[: data.draw(st.integers(0, len(good)))])
    error = complaint(damaged)
    assert error is None or (error.reason and "\n" not in error.message)


def complaint(data: bytes) -> PictureError | None:
    """What is wrong with a file; no other exception may come."""
    try:
        assert decode(data, SMALL, max_pixels=100_000).shape == (3, 7, 5)
    except PictureError as error:
        return error
    return None


def deep_bmp() -> bytes:
    """10 bits for each channel, by bit fields."""
    header = struct.pack("<IiiHHIIiiII3I", 40, 4, 4, 1, 32, 3, 0, 0, 0, 0, 0, 0x3FF << 20, 0x3FF << 10, 0x3FF)
    return b"BM" + struct.pack("<IHHI", 130, 0, 0, 66) + header + bytes(64)


def deep_jpeg() -> bytes:
    """12 bits, by its header."""
    return saved(Image.new("L", (8, 8)), "JPEG").replace(b"\xff\xc0\0\x0b\x08", b"\xff\xc0\0\x0b\x0c")


@pytest.mark.parametrize("make", [deep_bmp, deep_jpeg])
def test_p13_what_pillow_cannot_do_is_no_damage(make):
    with pytest.raises(PictureError, match="is of an unsupported kind") as caught:
        decode(make(), SMALL)
    assert (caught.value.kind, caught.value.fault, caught.value.bad) == ("not supported", "P13", False)


@pytest.mark.parametrize("kind", ["JPEG", "GIF", "BMP", "PNG", "WEBP"])
def test_p07_truncated_is_said_without_a_number(kind):
    """Pillow counts the bytes that it had not looked at, which is no measure of what is missing."""
    data = saved(Image.effect_noise((60, 60), 90).convert("RGB"), kind)
    assert complaint(data[: len(data) * 3 // 4]).reason == "is truncated"


def test_avif_is_upright(recwarn):
    if not features.check("avif"):
        pytest.skip("Pillow was built without AVIF")
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(np.kron(np.array([[10, 80], [160, 240]], np.uint8), np.ones((32, 32), np.uint8)))
    data = saved(image.convert("RGB"), "AVIF", quality=95, exif=exif)
    got = decode(data, Preprocessing(width=2, height=2, kernel="box"))[0]
    assert np.abs(got.astype(int) - [[160, 10], [240, 80]]).max() <= 3
    assert interpret(data, SMALL).format == "AVIF"
    assert complaint(data[: len(data) // 2]).kind in ("truncated", "damaged")


# ---- for people -----------------------------------------------------------------------------------------------


def test_load_rgb_keeps_the_aspect_ratio_and_shrinks_what_is_large(tmp_path):
    path = tmp_path / "a.jpg"
    Image.new("L", (400, 100), 50).save(path)
    assert load_rgb(path).shape == (100, 400, 3)
    small = load_rgb(path, max_side=40)
    assert small.shape == (10, 40, 3)
    assert np.unique(small).tolist() == [50]

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from workflow.formats import caffe_pb2
from workflow.formats.encoded import decode_picture
from workflow.formats.lmdb import Writer

RANDOM = np.random.default_rng(11)
RGBA = RANDOM.integers(0, 256, (7, 5, 4), np.uint8)


def packed(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def pictures() -> dict[str, bytes]:
    rgb = Image.fromarray(RGBA[:, :, :3])
    return {
        "rgb": packed(rgb),
        "grey": packed(rgb.convert("L")),
        "rgba": packed(Image.fromarray(RGBA)),
        "palette": packed(rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=9)),
        "bits": packed(rgb.convert("1")),
        "bmp": packed(rgb, "BMP"),
    }


def test_channels_are_opencvs():
    files = pictures()
    np.testing.assert_array_equal(decode_picture(files["rgb"]), RGBA[:, :, [2, 1, 0]].transpose(2, 0, 1))
    np.testing.assert_array_equal(decode_picture(files["rgba"]), RGBA[:, :, [2, 1, 0, 3]].transpose(2, 0, 1))
    shapes = {name: decode_picture(data).shape[0] for name, data in files.items()}
    assert shapes == {"rgb": 3, "grey": 1, "rgba": 4, "palette": 3, "bits": 1, "bmp": 3}
    assert set(np.unique(decode_picture(files["bits"]))) == {0, 255}


def test_a_forced_colour():
    files = pictures()
    assert decode_picture(files["grey"], "color").shape == (3, 7, 5)
    assert decode_picture(files["rgba"], "gray").shape == (1, 7, 5)


def test_sixteen_bits_only_when_forced():
    grey = RANDOM.integers(0, 2**16, (7, 5), np.uint16)
    data = packed(Image.fromarray(grey))
    with pytest.raises(ValueError, match="more than 8 bits"):
        decode_picture(data)
    np.testing.assert_array_equal(decode_picture(data, "gray")[0], grey >> 8)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cannot be decoded"),
        (b"<svg/>", "cannot be decoded"),
        (packed(Image.new("RGB", (40, 30)), "JPEG")[:200], "cannot be decoded"),
        (packed(Image.new("RGB", (4, 3)), "GIF"), "cannot be decoded"),
    ],
)
def test_what_is_no_picture_here(data, message):
    with pytest.raises(ValueError, match=message):
        decode_picture(data)


@pytest.mark.parametrize("size", [(10000, 6000), (10000, 9000), (20000, 20000)])
def test_a_bomb_is_not_unpacked(size):
    data = packed(Image.new("1", (8, 8)))
    header = b"IHDR" + struct.pack(">II", *size) + data[24:29]
    with pytest.raises(ValueError, match="more than 50000000"):
        decode_picture(data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:])


@pytest.mark.caffe
def test_real_caffe_decodes_the_same(tmp_path, real_caffe):
    """The same files as records of a database, one after the other through a Data layer."""
    files = pictures()
    with Writer(tmp_path / "db") as writer:
        for name, data in files.items():
            writer.put(name.encode(), caffe_pb2.Datum(data=data, encoded=True, label=1).SerializeToString())
    (tmp_path / "net.prototxt").write_text(
        """layer { name: "d" type: "Data" top: "data" top: "label"
                   data_param { source: "db" backend: LMDB batch_size: 1 } }"""
    )
    snippet = """
net = caffe.Net('net.prototxt', caffe.TEST)
for name in sorted(str(name) for name in given['names']):
    net.forward()
    result[name] = net.blobs['data'].data[0].copy()
"""
    seen = real_caffe(snippet, names=np.array(list(files)))
    for name, data in files.items():
        np.testing.assert_array_equal(decode_picture(data), seen[name], err_msg=name)


def test_odd_metadata_are_not_remarked_on():
    """An animation of no frames; Pillow warns, and pytest makes an exception of it."""
    data = pictures()["rgb"]
    chunk = b"acTL" + bytes(8)
    odd = data[:33] + struct.pack(">I", 8) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]
    np.testing.assert_array_equal(decode_picture(odd), decode_picture(data))


@pytest.mark.parametrize("force", [None, "color", "gray"])
def test_a_large_picture_is_converted_in_parts(monkeypatch, force):
    whole = {name: decode_picture(data, force) for name, data in pictures().items()}
    monkeypatch.setattr("workflow.formats.encoded._AT_ONCE", 12)
    for name, data in pictures().items():
        np.testing.assert_array_equal(decode_picture(data, force), whole[name], err_msg=name)


def test_memory_that_does_not_suffice_is_no_damage(monkeypatch):
    def full(*size: object, **options: object) -> None:
        raise MemoryError

    monkeypatch.setattr("workflow.formats.encoded.np.empty", full)
    with pytest.raises(ValueError, match="needs more memory than is available"):
        decode_picture(pictures()["rgb"])

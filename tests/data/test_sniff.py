"""What a file is by its first bytes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from workflow.data.sniff import PictureError, accepted, sniff


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"GIF89a", "GIF"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WEBP"),
        (b"BM\0\0", "BMP"),
    ],
)
def test_accepted_formats(data, kind):
    assert sniff(data) == kind


@pytest.mark.parametrize(
    ("data", "reason", "fault", "bad"),
    [
        (b"", "is empty", "P06", True),
        (b"<!DOCTYPE html><p>404", "is HTML, not an image", "P09", True),
        (b"\xef\xbb\xbf \n<html>", "is HTML, not an image", "P09", True),
        (b"version https://git-lfs.github.com/spec/v1\noid", "is a git-lfs pointer", "P09", True),
        (b"cat,dog\r\n", "is text, not an image", "P09", True),
        (b"\0" * 900, "holds only zero bytes", "P07", True),
        (b"\x01\x02\x03\x04", "is not an image", "P09", True),
        (b"\0\0\0\x18ftypheic\0", "is HEIC", "P11", False),
        (b"\0\0\0\x18ftypmif1\0\0\0\0heic", "is HEIC", "P11", False),
        (b"\0\0\0\x18ftypisom\0", "is a video", "P11", False),
        (b'<?xml version="1.0"?><svg xmlns="">', "is SVG", "P11", False),
        (b"FUJIFILMCCD-RAW ", "is RAW", "P11", False),
        (b"%!PS-Adobe-3.0 EPSF", "is EPS", "P13", False),
        (b"%PDF-1.7", "is PDF", "P13", False),
        (b"SIMPLE  =                    T", "is FITS", "P13", False),
        (b"II*\0\x08\0\0\0", "is TIFF", "P13", False),
        (b"\xff\x4f\xff\x51\0\x2f", "is JPEG 2000", "P13", False),
        (b"/* XPM */\nstatic char * icon[]", "is XPM", "P13", False),
        (b"#define icon_width 16\n", "is XBM", "P13", False),
    ],
)
def test_p06_p09_p11_p13_refusals_by_content(data, reason, fault, bad):
    with pytest.raises(PictureError) as caught:
        sniff(data)
    assert caught.value.reason.startswith(reason)
    assert (caught.value.fault, caught.value.bad) == (fault, bad)


@pytest.mark.parametrize(
    ("kind", "mode", "name"),
    [("PPM", "RGB", "PPM"), ("PPM", "L", "PGM"), ("PPM", "1", "PBM"), ("JPEG2000", "RGB", "JPEG 2000")]
    + [("TGA", mode, "TGA") for mode in ("RGB", "RGBA", "L", "1", "P")]
    + [("PCX", mode, "PCX") for mode in ("RGB", "L", "1", "P")]
    + [(kind, "RGB", kind) for kind in ("SGI", "ICNS", "DDS", "TIFF", "QOI", "ICO")],
)
def test_p13_pictures_of_other_formats_are_called_by_their_name(kind, mode, name):
    stream = io.BytesIO()
    Image.effect_noise((20, 30), 90).convert(mode).save(stream, kind)
    with pytest.raises(PictureError, match="which is not accepted") as caught:
        sniff(stream.getvalue())
    assert (caught.value.kind, caught.value.bad) == (name, False)


@pytest.mark.parametrize("head", [b"\0\0\0\x18ftypavif\0\0\0\0", b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf"])
def test_avif_is_read_where_pillow_reads_it(head, monkeypatch):
    for readable in (True, False):
        monkeypatch.setattr(
            "workflow.data.sniff._readable", lambda kind, readable=readable: readable and kind == "AVIF"
        )
        assert verdict(head)[0] == ("AVIF" if readable else "")
        assert readable or verdict(head)[1].startswith("is AVIF, which is not accepted (accepted: JPEG, PNG")


def test_a_complaint_takes_the_name_of_the_file():
    with pytest.raises(PictureError) as caught:
        sniff(b"")
    assert caught.value.of(Path("cat/1.jpg")).message == "cat/1.jpg is empty"
    assert caught.value.exit_code == 3


@given(st.binary(max_size=64))
def test_any_bytes_get_a_format_or_a_reason(data):
    kind, reason = verdict(data)
    assert kind in accepted() or reason.startswith(("is ", "holds "))


def verdict(data: bytes) -> tuple[str, str]:
    try:
        return sniff(data), ""
    except PictureError as error:
        return "", error.reason

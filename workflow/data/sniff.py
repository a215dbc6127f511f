"""Recognise a file's format by its first bytes: an accepted picture format, or a reason to refuse it.

Names prove nothing: a PNG called .jpg is read as PNG, an error page called .jpg is called an error page. The list of
accepted formats is short on purpose; every further decoder is code that strangers' files can reach.
"""

from __future__ import annotations

import functools
import importlib.util
import re

from workflow.errors import DataError
from workflow.paths import PathOrAddress

ACCEPTED = ("JPEG", "PNG", "BMP", "GIF", "WEBP")
SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "PNG": (".png", ".apng"),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "WEBP": (".webp",),
    "AVIF": (".avif",),
    "HEIC": (".heic", ".heif", ".hif"),
}
ENDINGS = tuple(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
"""What the names of pictures end with, in small letters."""
_CONVERT = "convert it to JPEG or PNG"
ADVICE = {"HEIC": "pip install pillow-heif, or convert it to JPEG or PNG"}

_PICTURES = {
    "EPS": rb"%!PS|\xc5\xd0\xd3\xc6",
    "PDF": rb"%PDF",
    "TIFF": rb"II[*+]\x00|MM\x00[*+]",
    "FITS": rb"SIMPLE  =",
    "PSD": rb"8BPS",
    "ICO": rb"\x00\x00\x01\x00",
    "CUR": rb"\x00\x00\x02\x00[^\x00]\x00",
    "ICNS": rb"icns",
    "JPEG 2000": rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51",
    "JPEG XL": rb"\xff\x0a|\x00\x00\x00\x0cJXL ",
    "JPEG XR": rb"II\xbc",
    "QOI": rb"qoif",
    "DDS": rb"DDS ",
    "PBM": rb"P[14][\s#]",
    "PGM": rb"P[25][\s#]",
    "PPM": rb"P[36][\s#]",
    "PAM": rb"P7\n",
    "PFM": rb"P[fF]\n",
    "PCX": rb"\x0a[\x00\x02-\x05]\x01[\x01\x02\x04\x08]",
    "XPM": rb"/\* XPM \*/",
    "XBM": rb"#define \w+_width ",
    "SGI": rb"\x01\xda[\x00\x01][\x01\x02]\x00[\x01-\x03]",
    "Sun raster": rb"\x59\xa6\x6a\x95",
    "WMF": rb"\xd7\xcd\xc6\x9a",
    "OpenEXR": rb"\x76\x2f\x31\x01",
    "Radiance HDR": rb"#\?RADIANCE",
    "XCF": rb"gimp xcf",
    "RAW": rb"FUJIFILM",
    "ZIP": rb"PK\x03\x04",
    "gzip": rb"\x1f\x8b",
    "a program": rb"\x7fELF",
}
"""Name -> what a file begins with: kinds that are not read, pictures or files mistaken for pictures."""
_REFUSED = {name: re.compile(pattern, re.DOTALL) for name, pattern in _PICTURES.items()}
# brands after `ftyp` in files of the ISO base media family: the first, or those that a general one is compatible with
_BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"crx ": "RAW"} | dict.fromkeys(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "HEIC"
)
_GENERAL = (b"mif1", b"msf1")


def accepted() -> tuple[str, ...]:
    """The formats that are read here: AVIF where Pillow was built with it, HEIC where pillow-heif is installed."""
    return (*ACCEPTED, *(kind for kind in ("AVIF", "HEIC") if _readable(kind)))


@functools.cache
def _readable(kind: str) -> bool:
    if kind == "HEIC":
        return importlib.util.find_spec("pillow_heif") is not None
    from PIL import features

    return bool(features.check("avif"))


class PictureError(DataError):
    """A file that is not a picture that can be read.

    Attributes:
        reason: what is wrong, worded to follow the file's name: `is truncated`.
        kind: one or two words to count by: `truncated`.
        bad: whether the file claims to be a picture and is broken, rather than being something else.
    """

    def __init__(
        self,
        reason: str,
        *,
        kind: str,
        fault: str,
        bad: bool = True,
        at: PathOrAddress | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(f"{at or 'the picture'} {reason}", at=at, hint=hint, fault=fault)
        self.reason = reason
        self.kind = kind
        self.bad = bad

    def of(self, path: PathOrAddress) -> PictureError:
        """The same error for a file that has a name."""
        return PictureError(self.reason, kind=self.kind, fault=self.fault, bad=self.bad, at=path, hint=self.hint)


def sniff(data: bytes) -> str:
    """The accepted format that a file's bytes begin as.

    Raises:
        PictureError: the file is empty, or is something else; the reason says what, where that can be told.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith(b"BM"):
        return "BMP"
    if data[4:8] == b"ftyp":
        kind = _brand(data)
        if kind in accepted():
            return kind
        raise _not_accepted(kind, fault="P11")
    raise _refusal(data)


def _brand(data: bytes) -> str:
    """What a file of the ISO base media family is."""
    brands = [data[8:12]]
    if brands[0] in _GENERAL:
        end = min(int.from_bytes(data[:4], "big"), 4096)
        brands += [data[at : at + 4] for at in range(16, end, 4)]
    known = (_BRANDS[brand] for brand in brands if brand in _BRANDS)
    return next(known, "HEIC" if brands[0] in _GENERAL else "a video")


def _refusal(data: bytes) -> PictureError:
    if not data:
        return PictureError("is empty", kind="empty", fault="P06")
    if data.startswith(b"version https://git-lfs.github.com/"):
        return PictureError("is a git-lfs pointer", kind="git-lfs pointer", fault="P09", hint="git lfs pull")
    for name, magic in _REFUSED.items():
        if magic.match(data):
            return _not_accepted(name, fault="P11" if name == "RAW" else "P13")
    if _is_targa(data):
        return _not_accepted("TGA", fault="P13")
    return _refused_text(data)


def _is_targa(data: bytes) -> bool:
    """No byte of TGA's header is the same in all files: its type, depth and size must make sense together."""
    if len(data) < 18 or data[2] not in (1, 2, 3, 9, 10, 11):
        return False
    has_palette, depth, width, height = data[1], data[16], data[12:14], data[14:16]
    depths = {1: (8,), 2: (15, 16, 24, 32), 3: (1, 8, 16)}[data[2] % 8]
    whole = depth in depths and any(width) and any(height) and data[17] < 0x40
    return whole and has_palette == int(data[2] % 8 == 1)


def _refused_text(data: bytes) -> PictureError:
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head:
        return _not_accepted("SVG", fault="P11")
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or b"<html" in head:
        return PictureError("is HTML, not an image", kind="HTML", fault="P09")
    if _printable(data[:1024]):
        return PictureError("is text, not an image", kind="text", fault="P09")
    if not data.strip(b"\0"):
        return PictureError("holds only zero bytes", kind="damaged", fault="P07")
    return PictureError("is not an image", kind="not an image", fault="P09")


def _not_accepted(name: str, *, fault: str) -> PictureError:
    reason = f"is {name}, which is not accepted (accepted: {', '.join(accepted())})"
    return PictureError(reason, kind=name, fault=fault, bad=False, hint=ADVICE.get(name, _CONVERT))


def _printable(head: bytes) -> bool:
    return all(byte >= 0x20 or byte in b"\t\r\n\f" for byte in head)

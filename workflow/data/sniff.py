"""What a file is by its first bytes: one of the five accepted picture formats, or a reason to refuse it.

Names prove nothing: a PNG called .jpg is read as PNG, an error page called .jpg is called an error page. The list of
accepted formats is short on purpose; every further decoder is code that strangers' files can reach.
"""

from __future__ import annotations

from pathlib import Path

from workflow.errors import DataError

ACCEPTED = ("JPEG", "PNG", "BMP", "GIF", "WEBP")
SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "PNG": (".png", ".apng"),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "WEBP": (".webp",),
}
_CONVERT = "convert it to JPEG or PNG"

# (first bytes, name): formats that are pictures or look like ones, and that are not read
_REFUSED = (
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"%PDF", "PDF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"SIMPLE  =", "FITS"),
    (b"8BPS", "PSD"),
    (b"\0\0\1\0", "ICO"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
    (b"FUJIFILM", "RAW"),
    (b"PK\3\4", "ZIP"),
    (b"\x1f\x8b", "gzip"),
    (b"\x7fELF", "a program"),
)
# the brand after `ftyp` in files of the ISO base media family
_BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"crx ": "RAW"} | dict.fromkeys(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC"
)


class PictureError(DataError):
    """A file that is not a picture that can be read.

    Attributes:
        reason: what is wrong, to be said after the file's name: `is truncated`.
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
        at: Path | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(f"{at or 'the picture'} {reason}", at=at, hint=hint, fault=fault)
        self.reason = reason
        self.kind = kind
        self.bad = bad

    def of(self, path: Path) -> PictureError:
        """The same complaint about a file that has a name."""
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
    raise _refusal(data)


def _refusal(data: bytes) -> PictureError:
    if not data:
        return PictureError("is empty", kind="empty", fault="P06")
    if data.startswith(b"version https://git-lfs.github.com/"):
        return PictureError("is a git-lfs pointer", kind="git-lfs pointer", fault="P09", hint="git lfs pull")
    if data[4:8] == b"ftyp":
        return _not_accepted(_BRANDS.get(data[8:12], "a video"), fault="P11")
    for magic, name in _REFUSED:
        if data.startswith(magic):
            return _not_accepted(name, fault="P11" if name == "RAW" else "P13")
    return _refused_text(data)


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
    reason = f"is {name}, which is not accepted (accepted: {', '.join(ACCEPTED)})"
    return PictureError(reason, kind=name, fault=fault, bad=False, hint=_CONVERT)


def _printable(head: bytes) -> bool:
    return all(byte >= 0x20 or byte in b"\t\r\n\f" for byte in head)

"""The one way from a picture file to the array that a net sees. prepare, inspect, predict and evaluate all take it.

    sniff -> size check -> decode (large JPEGs at reduced size) -> orient -> opaque RGB or grey -> resize -> order

Only the first frame of an animation is read and nothing ever seeks to another. Colour profiles are not applied.
CMYK becomes RGB by Pillow's own formula, without a profile.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from workflow.config import Preprocessing
from workflow.data.plain_jpeg import read_plain
from workflow.data.resize import resize
from workflow.data.sniff import PictureError, sniff
from workflow.errors import DataError, EnvironmentFault

Pixels = NDArray[np.uint8]

MAX_PIXELS = 50_000_000
WHITE = (255, 255, 255)
_NEVER = 2**31

# The classes themselves rather than Image.open: no further format can be reached, an MPO is just its first JPEG, and
# Pillow's own bomb check (twice as lenient as ours, and a warning first) does not speak before ours does.
_READERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "BMP": BmpImageFile,
    "GIF": GifImageFile,
    "WEBP": WebPImageFile,
}

_ORIENTATION = 0x0112  # EXIF tag; what must be done to show a picture so tagged upright:
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_CARRIES_ORIENTATION = frozenset({"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"})


class Picture(NamedTuple):
    """A decoded picture, and what is worth counting about it."""

    pixels: Pixels
    """(C, H, W), channels in the recorded order; not always C-contiguous."""
    format: str
    notes: tuple[str, ...] = ()
    """Of `16-bit`, `frames`, `upscaled`."""


def decode(source: Path | str | bytes, preprocessing: Preprocessing, *, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Read a picture as a net sees it.

    Args:
        source: a file, or a file's bytes.
        preprocessing: size, fit, kernel, channel order and background, as recorded with the data set.
        max_pixels: pictures with more pixels are refused by their header, before anything is decoded.

    Returns:
        uint8 (C, H, W), 0..255, C-contiguous.

    Raises:
        PictureError: it is not a readable picture of an accepted format (a DataError; the message names the file).
        DataError: there is no such file.
        EnvironmentFault: the file may not be read.
    """
    with named(source) as data, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata; what matters is an exception
        return np.ascontiguousarray(interpret(data, preprocessing, max_pixels=max_pixels).pixels)


def load_rgb(source: Path | str | bytes, *, max_pixels: int = MAX_PIXELS, max_side: int = 1024) -> Pixels:
    """Read a picture as a person sees it: upright, on white, in its own aspect ratio.

    Returns:
        uint8 (H, W, 3) in RGB, shrunk where a side was longer than `max_side`.

    Raises:
        PictureError, DataError, EnvironmentFault: as `decode`.
    """
    with named(source) as data, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image: Image.Image = _open(data, sniff(data), max_pixels)
        _shrink_early(image, max_side, max_side)
        image = _opaque(_upright(_loaded(image)), WHITE).convert("RGB")
        image.thumbnail((max_side, max_side))
        return np.asarray(image)


def interpret(data: bytes, preprocessing: Preprocessing, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """`decode` for a file's bytes, with notes. Pillow's warnings are the caller's to silence.

    Raises:
        PictureError: without the name of a file.
    """
    kind = sniff(data)
    width, height = _enough(preprocessing)
    image = read_plain(data, 2 * width, 2 * height, max_pixels) if kind == "JPEG" else None
    if image is None:
        image = _open(data, kind, max_pixels)
        size = image.size
        _shrink_early(image, width, height)
        image = _loaded(image)
    else:
        size = image.size
    notes = _notes(image, size, preprocessing)
    image = _opaque(_upright(image), preprocessing.background)
    if preprocessing.channel_order == "GRAY":
        image = resize(image if image.mode == "L" else image.convert("L"), preprocessing)
        return Picture(_array(image, 1), kind, notes)
    image = resize(image, preprocessing)
    if image.mode == "L":
        image = image.convert("RGB")
    pixels = _array(image, 3)
    if preprocessing.channel_order == "BGR":
        pixels = pixels[::-1]
    return Picture(pixels, kind, notes)


class named:  # noqa: N801  # reads as a phrase: with named(source) as data
    """The bytes of a file or of a memory; complaints about them are given the file's name."""

    def __init__(self, source: Path | str | bytes) -> None:
        self._path = None if isinstance(source, bytes) else Path(source)
        self._data = source if isinstance(source, bytes) else b""

    def __enter__(self) -> bytes:
        if self._path is None:
            return self._data
        try:
            return self._path.read_bytes()
        except PermissionError:
            raise EnvironmentFault(f"cannot read {self._path} (permission denied)", fault="P21") from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise DataError(f"cannot read {self._path}: {reason.lower()}", fault="I01") from None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, PictureError) and self._path is not None:
            raise error.of(self._path) from error.__cause__


# ---- decoding -------------------------------------------------------------------------------------------------


def _open(data: bytes, kind: str, max_pixels: int) -> ImageFile.ImageFile:
    try:
        image = _READERS[kind](io.BytesIO(data))
    except Exception as error:  # whatever a foreign parser raises on hostile bytes: the file is at fault
        raise _complaint(error) from error
    width, height = image.size
    if width * height > max_pixels:
        raise PictureError(
            f"is {width}×{height} = {_mega(width * height)} Mpx, more than the limit of {_mega(max_pixels)}",
            kind="too large",
            fault="P12",
            hint=f"--max-pixels {width * height}",
        )
    return image


def _loaded(image: Image.Image) -> Image.Image:
    try:
        image.load()
    except Exception as error:  # as in _open
        raise _complaint(error) from error
    return image


def _complaint(error: Exception) -> PictureError:
    text = " ".join(str(error).split()) or type(error).__name__
    if "truncat" in text.lower() or isinstance(error, EOFError):
        _, bracket, detail = text.partition("(")
        reason = f"is truncated ({detail}" if bracket else "is truncated"
        return PictureError(reason, kind="truncated", fault="P07")
    return PictureError(f"is damaged ({text[:200]})", kind="damaged", fault="P07")


def _enough(preprocessing: Preprocessing) -> tuple[int, int]:
    """The least width and height that a picture must keep when it is shrunk before the resize proper."""
    if preprocessing.kernel == "opencv":  # whose point is to look at single pixels
        return _NEVER, _NEVER
    return 2 * preprocessing.width, 2 * preprocessing.height


def _shrink_early(image: Image.Image, width: int, height: int) -> None:
    """Let the JPEG decoder itself halve the picture up to three times, to no less than `width` x `height`.

    A 12-megapixel picture is decoded several times as fast so; the antialiased resize that follows still has at
    least two source pixels a side for each target pixel.
    """
    if not isinstance(image, JpegImageFile):
        return
    if _orientation(image) >= 5:  # lies on its side
        width, height = height, width
    if image.width >= 2 * width and image.height >= 2 * height:
        image.draft(None, (width, height))


# ---- orientation, transparency, depth -------------------------------------------------------------------------


def _orientation(image: Image.Image) -> int:
    if not _CARRIES_ORIENTATION & image.info.keys():
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # broken metadata do not make a picture unreadable
        return 1


def _upright(image: Image.Image) -> Image.Image:
    method = _UPRIGHT.get(_orientation(image))
    return image if method is None else image.transpose(method)


def _opaque(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    """Mode RGB or L: 16 bits scaled to 8, transparent pixels shown on the background."""
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        canvas = Image.new("RGB", image.size, background)
        canvas.paste(layer, mask=layer.getchannel("A"))
        return canvas
    if image.mode in ("RGB", "L"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits by the factor 1/257, rounded: Pillow's own conversion clips everything above 255 to white."""
    wide = np.asarray(image).astype(np.int64)
    narrow = ((wide + 128) // 257).clip(0, 255).astype(np.uint8)
    grey = Image.fromarray(narrow)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey.putalpha(Image.fromarray(np.where(wide == transparent, 0, 255).astype(np.uint8)))
    return grey


def _array(image: Image.Image, channels: int) -> Pixels:
    """uint8 (C, H, W), a view of a picture whose bytes lie as (H, W, C)."""
    width, height = image.size
    return np.frombuffer(image.tobytes(), np.uint8).reshape(height, width, channels).transpose(2, 0, 1)


def _notes(image: Image.Image, size: tuple[int, int], preprocessing: Preprocessing) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    if image.mode.startswith("I"):
        notes += ("16-bit",)
    if size[0] < preprocessing.width or size[1] < preprocessing.height:
        notes += ("upscaled",)
    # set where the header told it; asking a GIF would make it seek
    if image.__dict__.get("n_frames", 1) > 1 or "mp" in image.info:
        notes += ("frames",)
    return notes


def _mega(pixels: int) -> str:
    return f"{pixels / 1e6:.4g}" if pixels < 1e9 else f"{pixels / 1e6:.0f}"

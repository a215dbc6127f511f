"""The only path from a picture file to the net's input array; used by prepare, inspect, predict and evaluate.

    sniff -> size check -> decode (large JPEGs at reduced size) -> orient -> opaque RGB or grey -> resize -> order

A picture takes at most 8 bytes for each pixel of the limit while it is decoded: 400 MB for 50 megapixels. For kinds
whose decoders need more, the limit is lower in proportion.

Only the first frame of an animation is read and nothing ever seeks to another. Colour profiles are not applied.
CMYK becomes RGB by Pillow's own formula, without a profile.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

from workflow.config import MAX_PIXELS, Preprocessing
from workflow.data.decoding_cost import check_cost, in_megapixels, in_pixels
from workflow.data.large_webp import Bands, first_frame, libwebp, starved
from workflow.data.opaque import opaque, orientation, upright
from workflow.data.plain_jpeg import plain_size, read_plain
from workflow.data.resize import resize, scaled
from workflow.data.sniff import PictureError, sniff
from workflow.data.sources.reading import whole
from workflow.data.strips import LARGE, Box, Strips
from workflow.errors import DataError, EnvironmentFault
from workflow.formats.files import missing
from workflow.paths import path_or_address
from workflow.silence import silenced

Pixels = NDArray[np.uint8]

WHITE = (255, 255, 255)
OUT_OF_MEMORY = "out of memory"
_NEVER = 2**31
# Pillow's words for a file that is whole, and for one that ends too soon
_UNSUPPORTED = ("unsupported", "not supported", "cannot handle 12-bit", "cannot handle 16-bit")
_CUT = ("truncat", "not enough image data", "unexpected end", "index out of range", "requires a buffer")

# The classes themselves rather than Image.open: no further format can be reached, an MPO is just its first JPEG, and
# Pillow's own bomb check (twice as lenient as ours, and a warning first) does not speak before ours does.
_READERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "BMP": BmpImageFile,
    "GIF": GifImageFile,
    "WEBP": WebPImageFile,
}


class Picture(NamedTuple):
    """A decoded picture, with notes that are counted."""

    pixels: Pixels
    """(C, H, W), channels in the recorded order; not always C-contiguous."""
    format: str
    notes: tuple[str, ...] = ()
    """Some of `16-bit`, `frames`, `upscaled`."""


class Header(NamedTuple):
    """What the header of a picture file says, before decoding."""

    format: str
    width: int
    height: int
    """Before the picture is turned upright."""
    baseline: bool
    """Whether it is a JPEG that is decoded row by row, in little memory."""


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
        EnvironmentFault: the file cannot be read (permission denied).
    """
    with named(source) as data, silenced():  # Pillow remarks on odd metadata; what matters is an exception
        return np.ascontiguousarray(interpret(data, preprocessing, max_pixels=max_pixels).pixels)


def load_rgb(source: Path | str | bytes, *, max_pixels: int = MAX_PIXELS, max_side: int = 1024) -> Pixels:
    """Read a picture as a person sees it: upright, on white, in its own aspect ratio.

    Returns:
        uint8 (H, W, 3) in RGB, shrunk where a side was longer than `max_side`.

    Raises:
        PictureError, DataError, EnvironmentFault: as `decode`.
    """
    with named(source) as data, silenced():
        image = _open(data, sniff(data), max_pixels)
        check_cost(image, data, max_pixels)
        with _within_memory(image.size, max_pixels):
            _shrink_early(image, max_side, max_side)
            shown = _in_parts(image, data, WHITE) or _seen(_loaded(image), WHITE)
            if not isinstance(shown, Strips):
                shown = shown.convert("RGB")
                shown.thumbnail((max_side, max_side))
                return np.asarray(shown)
            factor = min(1.0, max_side / max(shown.size))
            size = (max(1, round(shown.size[0] * factor)), max(1, round(shown.size[1] * factor)))
            return np.asarray(scaled(shown, size, (0, 0, *shown.size), "bicubic").convert("RGB"))


def interpret(data: bytes, preprocessing: Preprocessing, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """`decode` for a file's bytes, with notes. Pillow's warnings are the caller's to silence.

    Raises:
        PictureError: without the name of a file.
    """
    kind = sniff(data)
    width, height = _enough(preprocessing)
    image = read_plain(data, 2 * width, 2 * height, max_pixels) if kind == "JPEG" else None
    if image is not None:
        return _resized(image, image.size, kind, preprocessing)
    image = _open(data, kind, max_pixels)
    check_cost(image, data, max_pixels, whole=preprocessing.kernel == "opencv")
    size = image.size
    with _within_memory(size, max_pixels):
        _shrink_early(image, width, height)
        strips = _in_parts(image, data, preprocessing.background, _mode(preprocessing))
        return _resized(image if strips else _loaded(image), size, kind, preprocessing, strips)


def header(data: bytes) -> Header:
    """Format and size of a picture from the first bytes of its file.

    Raises:
        PictureError: it is not a picture of an accepted format, or its header is damaged.
    """
    kind = sniff(data)
    size = plain_size(data) if kind == "JPEG" else None
    if size is not None:
        return Header(kind, *size, baseline=True)
    image = _open(data, kind, _NEVER)
    return Header(kind, *image.size, baseline=kind == "JPEG" and "progressive" not in image.info)


def _mode(preprocessing: Preprocessing) -> str | None:
    return "L" if preprocessing.channel_order == "GRAY" else None


def _resized(
    image: Image.Image, size: tuple[int, int], kind: str, preprocessing: Preprocessing, strips: Strips | None = None
) -> Picture:
    """From a decoded picture, whose file says `size`, to what the net sees; its strips are made if there are none."""
    notes = _notes(image, size, preprocessing)
    image = resize(strips or _seen(image, preprocessing.background, _mode(preprocessing)), preprocessing)
    if preprocessing.channel_order == "GRAY":
        return Picture(_array(image, 1), kind, notes)
    if image.mode == "L":
        image = image.convert("RGB")
    pixels = _array(image, 3)
    if preprocessing.channel_order == "BGR":
        pixels = pixels[::-1]
    return Picture(pixels, kind, notes)


class named:  # noqa: N801  # reads as a phrase: with named(source) as data
    """The bytes of a file, or bytes as given; errors about them get the file's name."""

    def __init__(self, source: Path | str | bytes) -> None:
        self._path = None if isinstance(source, bytes) else path_or_address(source)
        self._data = source if isinstance(source, bytes) else b""

    def __enter__(self) -> bytes:
        if self._path is None:
            return self._data
        try:
            return whole(self._path)
        except PermissionError:
            raise EnvironmentFault(f"cannot read {self._path} (permission denied)", fault="P21") from None
        except FileNotFoundError:
            message, hint = missing(Path(self._path))
            raise DataError(message, hint=hint, fault="I01") from None
        except IsADirectoryError:
            raise DataError(
                f"{self._path} is a folder, expected a picture",
                hint=f"wf predict {self._path} labels every picture in it",
                fault="I01",
            ) from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise DataError(f"cannot read {self._path}: {reason.lower()}", fault="I01") from None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, PictureError) and self._path is not None:
            raise error.of(self._path) from error.__cause__


# ---- decoding -------------------------------------------------------------------------------------------------


def _open(data: bytes, kind: str, max_pixels: int) -> ImageFile.ImageFile:
    try:
        image = _reader(kind)(io.BytesIO(data))
    except MemoryError as error:
        raise out_of_memory(f"{len(data):,} bytes", max_pixels) from error
    except Exception as error:  # whatever a foreign parser raises on hostile bytes: the file is at fault
        if kind == "WEBP" and (starving := starved(data)):
            raise out_of_memory(in_pixels(starving), max_pixels) from error
        if kind == "WEBP" and int.from_bytes(data[4:8], "little") + 8 > len(data):  # Pillow does not say why
            raise PictureError("is truncated", kind="truncated", fault="P07") from error
        raise _complaint(error) from error
    width, height = image.size
    if width * height > max_pixels:
        raise PictureError(
            f"is {in_pixels(image.size)}, more than the limit of {in_megapixels(max_pixels)} (prepare.max_pixels)",
            kind="too large",
            fault="P12",
            hint=f"set prepare.max_pixels to {width * height} in the settings",
        )
    return image


def _reader(kind: str) -> Callable[[io.BytesIO], ImageFile.ImageFile]:
    if kind == "AVIF":
        from PIL.AvifImagePlugin import AvifImageFile

        return AvifImageFile
    if kind == "HEIC":
        import pillow_heif  # an extra of the user's

        pillow_heif.register_heif_opener()
        opener: Callable[[io.BytesIO], ImageFile.ImageFile] = Image.OPEN["HEIF"][0]  # type: ignore[assignment]
        return opener
    return _READERS[kind]


def _loaded(image: Image.Image) -> Image.Image:
    try:
        image.load()
    except Exception as error:  # as in _open
        raise _complaint(error) from error
    return image


def _seen(image: Image.Image, background: tuple[int, int, int], mode: str | None = None) -> Image.Image | Strips:
    """Upright and opaque, in grey if `mode` is L; a large picture by strips."""
    number = orientation(image)
    if image.width * image.height > LARGE:
        return Strips(image, number, background, mode)
    image = opaque(upright(image, number), background)
    return image if mode in (None, image.mode) else image.convert(mode)


def _in_parts(
    image: ImageFile.ImageFile, data: bytes, background: tuple[int, int, int], mode: str | None = None
) -> Strips | None:
    """The strips of a large picture that needs more memory when Pillow decodes it; None for other pictures."""
    if image.width * image.height <= LARGE:
        return None
    if image.format == "AVIF":
        return Strips(image, orientation(image), background, mode, crop=_frame(image))
    if not isinstance(image, WebPImageFile):
        return None
    still = data if image.n_frames == 1 else first_frame(data, image.size)
    library = libwebp()
    if library is None or still is None:
        return None
    number = orientation(image)
    image._decoder = None  # which holds two canvases
    bands = Bands(library, still, image.size, upended=number >= 5)
    return Strips(image, number, background, mode, crop=bands.crop)


def _frame(image: ImageFile.ImageFile) -> Callable[[Box], Image.Image]:
    """What cuts parts out of an AVIF's pixels as its decoder gives them: without the decoder, and Pillow's own copy."""
    try:
        pixels = image._decoder.get_frame(0)[0]  # type: ignore[attr-defined]  # of AvifImageFile
    except Exception as error:  # as in _open
        raise _complaint(error) from error
    image._decoder = None  # type: ignore[attr-defined]  # which holds the picture's planes
    whole = np.frombuffer(pixels, np.uint8).reshape(image.height, image.width, len(image.getbands()))
    return lambda box: Image.fromarray(whole[box[1] : box[3], box[0] : box[2]])


@contextmanager
def _within_memory(size: tuple[int, int], max_pixels: int) -> Iterator[None]:
    """Say that a picture needs more memory than is available: the file is not at fault."""
    try:
        yield
    except MemoryError as error:
        raise out_of_memory(in_pixels(size), max_pixels) from error


def out_of_memory(what: str, max_pixels: int) -> PictureError:
    """The error for a file for which memory does not suffice."""
    return PictureError(
        f"needs more memory than is available ({what}; prepare.max_pixels is {in_megapixels(max_pixels)} Mpx)",
        kind=OUT_OF_MEMORY,
        fault="P12",
        bad=False,
        hint="a lower prepare.max_pixels in the settings skips such files",
    )


def _complaint(error: Exception) -> PictureError:
    if isinstance(error, MemoryError) or "out of memory" in str(error):  # Pillow's decoders say it as an OSError
        raise MemoryError from error
    text = " ".join(str(error).split()) or type(error).__name__
    if any(words in text.lower() for words in _UNSUPPORTED):
        reason = f"is of an unsupported kind ({text[:200]})"
        return PictureError(reason, kind="not supported", fault="P13", bad=False, hint="convert it to JPEG or PNG")
    if any(words in text.lower() for words in _CUT) or isinstance(error, (EOFError, IndexError, struct.error)):
        return PictureError("is truncated", kind="truncated", fault="P07")
    return PictureError(f"is damaged ({text[:200]})", kind="damaged", fault="P07")


def _enough(preprocessing: Preprocessing) -> tuple[int, int]:
    """The least width and height that a picture must keep when it is shrunk before the actual resize."""
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
    if orientation(image) >= 5:  # lies on its side
        width, height = height, width
    if image.width >= 2 * width and image.height >= 2 * height:
        image.draft(None, (width, height))


def _array(image: Image.Image, channels: int) -> Pixels:
    """uint8 (C, H, W), a view of a picture stored as (H, W, C)."""
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

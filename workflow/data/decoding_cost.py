"""How much memory a decoder takes for each pixel, and the limit that follows from it.

A picture takes at most 8 bytes for each pixel of `prepare.max_pixels` while it is decoded: 400 MB for 50 megapixels.
"""

from __future__ import annotations

from PIL import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.WebPImagePlugin import WebPImageFile

from workflow.data.large_webp import first_frame
from workflow.data.sniff import PictureError
from workflow.data.strips import LARGE

_BYTES = 8  # for each pixel of the limit


def check_cost(image: ImageFile.ImageFile, data: bytes, max_pixels: int, *, whole: bool = False) -> None:
    """Refuse a large picture whose decoder needs more than 8 bytes a pixel.

    Args:
        image: opened, not decoded.
        data: its file.
        max_pixels: the limit for other kinds.
        whole: every pixel is needed, so a JPEG is not reduced while it is decoded.

    Raises:
        PictureError: P12.
    """
    if image.width * image.height <= LARGE:
        return
    what, cost = _cost(image, data, whole=whole)
    limit = max_pixels * _BYTES // cost
    if image.width * image.height > limit:
        raise PictureError(
            f"is {in_pixels(image.size)}, more than the limit of {in_megapixels(limit)} for {what}, which takes "
            f"{cost} bytes a pixel (prepare.max_pixels)",
            kind="too large",
            fault="P12",
            hint=f"set prepare.max_pixels to {-(-image.width * image.height * cost // _BYTES)} in the settings",
        )


def _cost(image: ImageFile.ImageFile, data: bytes, *, whole: bool) -> tuple[str, int]:
    """What kind of picture it is, and the most bytes that its decoder takes for a pixel; measured at 49 megapixels."""
    if image.format in ("AVIF", "HEIF") and image.mode == "RGBA":
        return f"{image.format} with transparency", 11
    if isinstance(image, WebPImageFile) and image.n_frames > 1 and first_frame(data, image.size) is None:
        return "WebP whose first frame does not fill it", 20
    if isinstance(image, JpegImageFile) and "progressive" in image.info:
        if whole:
            return "progressive JPEG with the opencv kernel", 13 if image.mode == "CMYK" else 10
        if image.mode == "CMYK":
            return "progressive JPEG in CMYK", 9
    return "", _BYTES


def in_pixels(size: tuple[int, int]) -> str:
    """`7000×7000 = 49 Mpx`, for a size (width, height)."""
    return f"{size[0]}×{size[1]} = {in_megapixels(size[0] * size[1])} Mpx"


def in_megapixels(pixels: int) -> str:
    """`49`, for 49 million."""
    return f"{pixels / 1e6:.4g}" if pixels < 1e9 else f"{pixels / 1e6:.0f}"

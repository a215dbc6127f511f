"""Make a decoded picture, or a part of it, upright, opaque and 8 bits deep before it is resized."""

from __future__ import annotations

import numpy as np
from PIL import Image

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


def orientation(image: Image.Image) -> int:
    """EXIF's number 1..8: 1 is upright; from 5 on the picture is on its side."""
    if not _CARRIES_ORIENTATION & image.info.keys():
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # broken metadata do not make a picture unreadable
        return 1


def upright(image: Image.Image, number: int) -> Image.Image:
    """Turned and mirrored as an orientation asks for."""
    method = _UPRIGHT.get(number)
    return image if method is None else image.transpose(method)


def opaque(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
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
    wide = np.asarray(image).astype(np.int32)
    narrow = ((wide + 128) // 257).clip(0, 255).astype(np.uint8)
    grey = Image.fromarray(narrow)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey.putalpha(Image.fromarray(np.where(wide == transparent, 0, 255).astype(np.uint8)))
    return grey

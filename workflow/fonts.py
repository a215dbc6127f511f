"""Fonts for the text in pictures: find an installed font that has each character, for Pillow and matplotlib.

DejaVu Sans, which comes with matplotlib, has Latin, Greek, Cyrillic, Arabic and many symbols. Letters that it lacks
(Chinese, Japanese, Korean, Thai, emoji …) are taken from a font of the system; where none has them, the text is
spelled so that it can be read: `U+732B`, `ne`, `[cat face]`.
"""

from __future__ import annotations

import importlib.util
import logging
import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

_log = logging.getLogger(__name__)

_SURELY = 0x250  # Latin letters, which DejaVu Sans has; most names need no look into a font
_INVISIBLE = {"\u200c", "\u200d", "\ufe0e", "\ufe0f"}  # joiners and variants: they draw nothing by themselves
_PACKAGES = {"Chinese, Japanese": "fonts-noto-cjk", "Korean": "fonts-noto-cjk", "emoji": "fonts-symbola"}
_OTHER_PACKAGE = "fonts-noto-core"
_SOUND = re.compile(r" (?:LETTER|SYLLABLE|CHARACTER|VOWEL SIGN) (?:SMALL )?(\w+)")
_warned: set[str] = set()


@lru_cache(maxsize=1)
def default() -> Path:
    """DejaVu Sans, as matplotlib ships it."""
    found = importlib.util.find_spec("matplotlib")  # finding it imports nothing
    assert found is not None and found.submodule_search_locations  # noqa: S101, PT018  # matplotlib is required
    return Path(found.submodule_search_locations[0]) / "mpl-data/fonts/ttf/DejaVuSans.ttf"


def font_of(character: str) -> Path | None:
    """The file of the font that draws a character: DejaVu Sans if it can, else one of the system; None if none can."""
    if ord(character) < _SURELY or character in _INVISIBLE:
        return default()
    return _font_of(character)


def readable(text: str) -> str:
    """The text with characters that no font has spelled out; a warning names them, once for each script."""
    pieces = groupby(unicodedata.normalize("NFC", text), key=lambda character: font_of(character) is not None)
    return "".join("".join(group) if drawn else "-".join(map(_spelled, group)) for drawn, group in pieces)


def runs(text: str) -> list[tuple[str, Path]]:
    """Pieces of a text, each with the font that draws all of it; what no font has is spelled out.

    Spaces and punctuation stay in the font of the letters before them, so that a right-to-left phrase is one piece.
    """
    if _is_latin(text):
        return [(text, default())] if text else []
    fonts: list[Path] = []
    for character in (text := readable(text)):
        own = font_of(character) or default()
        before = fonts[-1] if fonts else own
        fonts.append(before if not character.isalnum() and ord(character) in _characters(before) else own)
    pairs = groupby(zip(text, fonts, strict=True), key=lambda pair: pair[1])
    return [("".join(character for character, _ in group), font) for font, group in pairs]


def _is_latin(text: str) -> bool:
    """Whether the default font surely has all of it: nothing has to be looked up, and matplotlib not imported."""
    return all(ord(character) < _SURELY for character in text)


def families(text: str) -> list[str]:
    """The font families that matplotlib needs for a text, DejaVu Sans first; they are made known to matplotlib."""
    from matplotlib.font_manager import fontManager, get_font

    found = ["DejaVu Sans"]
    for font in dict.fromkeys(path for _, path in runs(text)):
        if font != default():
            if all(Path(entry.fname) != font for entry in fontManager.ttflist):
                fontManager.addfont(font)
            found.append(get_font(font).family_name)
    return found


def text_width(text: str, size: int) -> float:
    """Pixels that a line of text takes."""
    return sum(_pillow(font, size).getlength(piece) for piece, font in runs(text))


def draw_text(
    pen: ImageDraw.ImageDraw, at: tuple[float, float], text: str, *, size: int, fill: tuple[int, ...]
) -> None:
    """Draw a line of text with its upper left corner at `at`, as Pillow's `text` does, in as many fonts as it needs."""
    left, top = at
    ascent = _pillow(default(), size).getmetrics()[0]
    for piece, font in runs(text):
        face = _pillow(font, size)
        pen.text((left, top + ascent), piece, font=face, fill=fill, anchor="ls")
        left += face.getlength(piece)


def package(script: str) -> str:
    """The Debian package of a font for a script."""
    return _PACKAGES.get(script, _OTHER_PACKAGE)


@lru_cache(maxsize=4096)
def _font_of(character: str) -> Path | None:
    code = ord(character)
    return next((font for font in _candidates() if code in _characters(font)), None)


@lru_cache(maxsize=1)
def _candidates() -> tuple[Path, ...]:
    """DejaVu Sans, then the system's fonts: upright sans-serif ones of normal weight first."""
    from matplotlib.font_manager import findSystemFonts

    def order(path: Path) -> tuple[bool, bool, int, str]:
        name = path.stem.lower()
        odd = any(word in name for word in ("bold", "italic", "oblique", "light", "thin", "black", "mono", "condensed"))
        return odd, "serif" in name and "sans" not in name, len(name), name

    return (default(), *sorted(map(Path, findSystemFonts()), key=order))


@lru_cache(maxsize=256)
def _characters(font: Path) -> frozenset[int]:
    """The code points that a font has; none for a file that matplotlib cannot draw with (bitmaps, damaged ones)."""
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(str(font)).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


@lru_cache(maxsize=64)
def _pillow(font: Path, size: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(font, size)


def _spelled(character: str) -> str:
    """`U+732B` for a Chinese character, `ne` for a letter whose sound Unicode's name tells, `[cat face]` for others."""
    _warn(_script(character), character)
    name = unicodedata.name(character, "")
    if not name or "IDEOGRAPH" in name:
        return f"U+{ord(character):04X}"
    sound = _SOUND.search(name)
    return sound[1].lower() if sound else f"[{name.lower()}]"


def _script(character: str) -> str:
    name = unicodedata.name(character, "")
    first = name.partition(" ")[0]
    if first in ("CJK", "HIRAGANA", "KATAKANA"):
        return "Chinese, Japanese"
    if first == "HANGUL":
        return "Korean"
    return "emoji" if unicodedata.category(character) == "So" else first.capitalize() or "these"


def _warn(script: str, character: str) -> None:
    if script in _warned:
        return
    _warned.add(script)
    _log.warning(
        "no installed font has %s characters such as '%s': pictures spell them out; install a font that has them "
        "(Debian: apt install %s)",
        script,
        character,
        package(script),
    )

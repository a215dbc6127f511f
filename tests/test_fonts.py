"""Text in pictures, in scripts that the default font lacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image, ImageDraw

from workflow import fonts

GOTHIC = "\U00010330\U00010331"  # letters that no ordinary system has a font for


def make_font(path: Path, characters: str) -> None:
    """A font in which each of the characters is a black square of a whole em."""
    pen = TTGlyphPen(None)
    for index, point in enumerate([(0, 0), (0, 1000), (1000, 1000), (1000, 0)]):
        (pen.lineTo if index else pen.moveTo)(point)
    pen.closePath()
    square = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    names = [".notdef", *(f"u{ord(character):X}" for character in characters)]
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(dict(zip(map(ord, characters), names[1:], strict=True)))
    builder.setupGlyf(dict.fromkeys(names, square))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=1000, descent=0)
    builder.setupNameTable({"familyName": "Squares", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    path.parent.mkdir(parents=True, exist_ok=True)
    builder.save(path)


@pytest.fixture
def without_system_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that has matplotlib's fonts alone."""
    monkeypatch.setattr(fonts, "_candidates", lambda: (fonts.default(),))
    monkeypatch.setattr(fonts, "_warned", set())
    fonts._font_of.cache_clear()
    yield
    fonts._font_of.cache_clear()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fox", "fox"),
        ("Кот, ψ, Ünï", "Кот, ψ, Ünï"),
        ("猫", "U+732B"),
        ("猫犬 1", "U+732B-U+72AC 1"),
        ("ねこ", "ne-ko"),
        ("고양이 cat", "go-yang-i cat"),
        ("e\u0301", "é"),
    ],
)
def test_what_no_font_has_is_spelled(without_system_fonts, caplog, text, expected):
    assert fonts.readable(text) == expected
    assert len(caplog.records) == (not expected.startswith(("fox", "Кот", "é")))
    fonts.readable(text)
    assert len(caplog.records) <= 1  # said once


def test_the_warning_names_what_to_install(without_system_fonts, caplog):
    fonts.readable("猫")
    assert "apt install fonts-noto-cjk" in caplog.text


DRAW = """
import json, sys
import numpy as np
from PIL import Image, ImageDraw
from workflow import fonts
from workflow.report.canvas import new_figure, save, set_title

text = sys.argv[1]
board = Image.new("L", (60, 30), 255)
fonts.draw_text(ImageDraw.Draw(board), (0, 0), text, size=20, fill=(0,))
figure = new_figure(2, 2)
panel = figure.subplots()
panel.set_xticks([0, 1], [text, "$x$"])
set_title(figure, text)
import warnings
warnings.simplefilter("error")
save(figure, __import__("pathlib").Path("figure.png"))
print(json.dumps({
    "black": int((np.asarray(board) < 128).sum()), "width": fonts.text_width(text, 20),
    "families": fonts.families(text), "labels": [label.get_text() for label in panel.get_xticklabels()],
}))
"""


@pytest.mark.parametrize("installed", [True, False])
def test_a_font_of_the_system_draws_what_the_default_one_lacks(tmp_path: Path, installed: bool) -> None:
    if installed:
        make_font(tmp_path / "share" / "fonts" / "squares.ttf", GOTHIC)
    done = subprocess.run(
        [sys.executable, "-c", DRAW, GOTHIC],
        cwd=tmp_path,
        env=os.environ | {"XDG_DATA_HOME": str(tmp_path / "share"), "MPLCONFIGDIR": str(tmp_path / "mpl")},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert "findfont" not in done.stderr
    assert "missing from font" not in done.stderr
    if installed:
        assert found["black"] == pytest.approx(2 * 20 * 20, rel=0.1)
        assert (found["width"], found["families"]) == (40, ["DejaVu Sans", "Squares"])
        assert found["labels"] == [GOTHIC, "$x$"]
    else:
        assert found["families"] == ["DejaVu Sans"]
        assert found["labels"] == ["ahsa-bairkan", "$x$"]


def test_ordinary_text_is_drawn_as_pillow_does() -> None:
    from PIL import ImageFont

    ours, theirs = (Image.new("L", (200, 30), 255) for _ in range(2))
    fonts.draw_text(ImageDraw.Draw(ours), (3, 2), "gypsum Ä", size=16, fill=(0,))
    ImageDraw.Draw(theirs).text((3, 2), "gypsum Ä", font=ImageFont.truetype(fonts.default(), 16), fill=0)
    assert ours.tobytes() == theirs.tobytes()


def test_right_to_left_phrases_stay_whole() -> None:
    assert [piece for piece, _ in fonts.runs("قطة كبيرة")] == ["قطة كبيرة"]


def test_latin_text_imports_no_matplotlib() -> None:
    code = (
        "import sys; from PIL import Image, ImageDraw; from workflow import fonts; "
        "fonts.draw_text(ImageDraw.Draw(Image.new('L', (9, 9))), (0, 0), 'conv1: b.png', size=12, fill=(0,)); "
        "assert fonts.readable('Ünï 1') == 'Ünï 1'; print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

"""Pictures inside a page."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from workflow.report.embed import thumbnail


def shown(path: Path) -> np.ndarray:
    uri = thumbnail(path)
    assert uri is not None
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as picture:
        return np.asarray(picture.convert("RGB"))


def test_16_bits_and_transparency_are_shown_as_a_person_sees_them(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    np.testing.assert_allclose(shown(tmp_path / "deep.png")[..., 0], deep / 257, atol=1)
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (shown(tmp_path / "clear.png") == 255).all()


def test_a_file_that_cannot_be_read_has_no_thumbnail(tmp_path: Path) -> None:
    assert thumbnail(tmp_path / "gone.png") is None
    (tmp_path / "text.png").write_text("text")
    assert thumbnail(tmp_path / "text.png") is None

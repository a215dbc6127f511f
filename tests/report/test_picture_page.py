"""The page of one picture."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from PIL import Image

from workflow.report.picture_page import Section, write_picture_page


def section(name: str, pictures: dict[str, Path], words: str) -> Section:
    return Section(name=name, title=f"About {name}", lead="A lead.", pictures=pictures, words=words)


def test_everything_is_inside_and_escaped(project: Path) -> None:
    Image.new("RGB", (40, 30), "red").save(project / "<b>.png")
    drawn = project / "drawn.png"
    Image.new("RGB", (7, 5), "blue").save(drawn)
    sections = [section("maps", {"maps": drawn}, "a < b & c"), section("twin", {}, "Not for this one: no <data>.")]
    page = write_picture_page(project / "<b>.png", "gen1/iter_5", {"cat": 0.25, "dog": 0.75}, sections, Path("p.html"))
    text = page.read_text()
    assert "&lt;b&gt;.png: dog, 75.0 %" in text
    assert text.index(">dog<") < text.index(">cat<")
    assert "a &lt; b &amp; c" in text
    assert "no &lt;data&gt;." in text
    assert not re.search(r'(src|href)="(?!data:|#)', text)  # nothing from elsewhere
    assert base64.b64encode(drawn.read_bytes()).decode() in text
    assert [anchor in text for anchor in ('href="#maps"', 'id="maps"', 'href="#twin"', 'id="twin"')] == [True] * 4


def test_a_net_without_probabilities(project: Path) -> None:
    Image.new("RGB", (4, 4)).save("a.png")
    page = write_picture_page(Path("a.png"), "m.caffemodel", {}, [section("why", {}, "no Softmax")], Path("p.html"))
    assert "<h1>a.png</h1>" in page.read_text()

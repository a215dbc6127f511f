"""The page of one picture."""

from __future__ import annotations

import base64
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from workflow.report.picture_page import Section, write_picture_page

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def section(name: str, pictures: dict[str, Path], words: str) -> Section:
    return Section(name=name, title=f"About {name}", lead="A lead.", pictures=pictures, words=words)


def test_everything_is_inside_and_escaped(project: Path) -> None:
    Image.new("RGB", (40, 30), "red").save(project / "<b>.png")
    drawn = project / "drawn.png"
    Image.new("RGB", (7, 5), "blue").save(drawn)
    sections = [section("maps", {"maps": drawn}, "a < b & c"), section("twin", {}, "Not available: no <data>.")]
    page = write_picture_page(project / "<b>.png", "gen1/iter_5", {"cat": 0.25, "dog": 0.75}, sections, Path("p.html"))
    text = page.read_text()
    assert "&lt;b&gt;.png: dog, 75.0 %" in text
    assert text.index(">dog<") < text.index(">cat<")
    assert "a &lt; b &amp; c" in text
    assert "no &lt;data&gt;." in text
    assert not re.search(r'(src|href)="(?!data:|#)', text)  # nothing from elsewhere
    assert base64.b64encode(drawn.read_bytes()).decode() in text
    assert [anchor in text for anchor in ('href="#maps"', 'id="maps"', 'href="#twin"', 'id="twin"')] == [True] * 4


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs Chromium (Debian's package chromium)")
def test_wide_figures_fit_a_telephone_until_they_are_tapped(project: Path) -> None:
    from playwright.sync_api import sync_playwright

    Image.new("RGB", (1800, 500), "blue").save("maps.png")
    sections = [section("maps", {"maps": Path("maps.png")}, "words")]
    page = write_picture_page(Path("maps.png"), "gen1/iter_5", {"a" * 60: 0.25, "dog": 0.75}, sections, Path("p.html"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"], timeout=120_000
        )
        tab = browser.new_page(viewport={"width": 390, "height": 800})
        tab.goto(page.absolute().as_uri())
        width = "document.querySelector('.plot').getBoundingClientRect().width"
        assert tab.evaluate(width) <= 390
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        tab.locator(".plot").click()
        assert tab.evaluate(width) > 1000
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390  # it scrolls in its own frame
        browser.close()


def test_a_net_without_probabilities(project: Path) -> None:
    Image.new("RGB", (4, 4)).save("a.png")
    page = write_picture_page(Path("a.png"), "m.caffemodel", {}, [section("why", {}, "no Softmax")], Path("p.html"))
    assert "<h1>a.png</h1>" in page.read_text()

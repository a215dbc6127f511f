"""The report of the newest of three generations, opened in a real browser where there is one."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from three_generations import make_three, settings

from workflow.report.facts import gather
from workflow.report.page import percent, points, write_page

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTHS = {"telephone": 360, "desktop": 1280}


@pytest.fixture
def page(project: Path) -> Path:
    make_three(project)
    found = gather(settings())
    return write_page(found.facts, found.pictures, project / "report.html")


def test_the_facts_lie_beside_the_page(page: Path) -> None:
    facts = json.loads(page.with_suffix(".json").read_text())
    evaluation = facts["evaluation"]
    assert facts["name"] == "gen3"
    assert sum(map(sum, evaluation["confusion"])) == evaluation["count"]
    text = page.read_text()
    assert percent(evaluation["accuracy"]) in text
    assert facts["diff"]["verdict"]["words"].split(";")[0] in text
    assert f"{facts['mistakes']['count']} of {facts['mistakes']['pictures']} pictures" in text


def test_it_names_no_address(page: Path) -> None:
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", page.read_text())
    assert "http://" not in page.read_text()
    assert "https://" not in page.read_text()


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs Chromium (Debian's package chromium)")
def test_a_browser_loads_nothing_else_and_has_no_errors(page: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=BROWSER,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            timeout=120_000,
        )
        for width in WIDTHS.values():
            tab = browser.new_page(viewport={"width": width, "height": 800})
            said: list[str] = []
            loaded: list[str] = []
            tab.on("console", lambda message, said=said: said.append(message.text))
            tab.on("pageerror", lambda error, said=said: said.append(str(error)))
            tab.on("request", lambda request, loaded=loaded: loaded.append(request.url))
            tab.goto(page.absolute().as_uri())
            assert said == []
            assert [url for url in loaded if not url.startswith("data:")] == [page.absolute().as_uri()]
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            wide = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth)"
            assert tab.evaluate(f"{wide}.map(e => e.innerText)") == []
            assert tab.evaluate("[...document.images].filter(i => i.complete && !i.naturalWidth).length") == 0
        browser.close()


def test_numbers_are_written_for_people() -> None:
    assert percent(0.93456) == "93.5 %"
    assert percent(None) == percent(float("nan")) == "n/a"
    assert points(0.0123) == "+1.2 points"
    assert points(-0.0123) == "−1.2 points"

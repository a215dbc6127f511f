"""The pages in a real browser, on a real server: keys, the outbox, the grid, and nobody is left out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import CHROMIUM, Server, axe_source, barriers, chromium, needs_chromium, pages, profile, until, watch
from one_generation import make_one
from PIL import Image
from served import png
from small_net import picture
from three_generations import KINDS

pytestmark = needs_chromium
CLASSES = ["circle", "cross", "empty"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """On a project with one generation."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    root = tmp_path_factory.mktemp("browsed")
    make_project(root)
    with Server(root) as running:
        yield running


def make_project(root: Path) -> None:
    """One generation of the small net, with random weights."""
    (root / "configs").mkdir()
    (root / "configs" / "default.yaml").write_text(
        "preprocessing: {width: 8, height: 9}\n"
        "train: {solver: prototxt/small_solver.prototxt, deploy: prototxt/small_deploy.prototxt}\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        make_one(root)


def drawn(name: str, number: int) -> bytes:
    """A picture of a class that no generation holds."""
    pixels = picture(KINDS[name], np.random.default_rng([number, 7])).transpose(1, 2, 0)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def browser(server: Server) -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def context(browser: Any, server: Server) -> Iterator[Any]:
    """A fresh browser profile; what a page complains of, and a request to another host, fail the test."""
    made = profile(browser, server, viewport={"width": 1400, "height": 900}, locale="en")
    faults = watch(made, server)
    yield made
    made.close()
    assert faults == []


TRANSFER = """async (kind) => {
  const source = document.querySelector("#answer img").src;
  const data = new DataTransfer();
  data.items.add(new File([await (await fetch(source)).blob()], "again.png", {type: "image/png"}));
  const event = kind === "paste" ? new ClipboardEvent(kind, {clipboardData: data, bubbles: true})
    : new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true});
  document.body.dispatchEvent(event);
}"""
"""Pastes or drops the picture that is shown, encoded anew."""


def send(server: Server, first: int, count: int) -> list[str]:
    """Pictures of noise, as a bot sends them; their sha256."""
    return [server.send(png(number))["sha256"] for number in range(first, first + count)]


def label_of(server: Server, sha256: str) -> Any:
    found = server.get(f"/api/pictures/{sha256}")
    return found["label"] if found["state"] != "remove" else "removed"


def shown(page: Any) -> str | None:
    """sha256 of the picture on the stage."""
    found: str | None = page.evaluate("document.getElementById('stage').dataset.sha256 ?? null")
    return found


def number(page: Any, name: str) -> int:
    return int(page.locator(f"#{name}").text_content().replace(",", "").replace("–", "-1"))


def test_a_key_labels_a_picture(server: Server, context: Any) -> None:
    send(server, 0, 8)
    page = context.new_page()
    page.goto("/label/sent")
    left = until(lambda: number(page, "left") > 0 and number(page, "left"))
    seen = []

    def press(key: str) -> str:
        before = until(lambda: shown(page))
        page.keyboard.press(key)
        seen.append(before)
        if key not in ("Backspace", "i"):
            assert shown(page) != before  # at once
        return before

    second = press("2")
    suggested = server.get(f"/api/pictures/{shown(page)}")["answers"][-1]["label"]
    as_suggested = press("w")
    right = press("q")
    out = press("e")
    later = press(" ")
    wrong = press("1")
    press("Backspace")
    assert shown(page) == wrong
    press("3")
    until(lambda: number(page, "rate") >= 6)  # of the last minute
    until(lambda: number(page, "waiting") == 0)
    assert label_of(server, second) == CLASSES[1]
    assert label_of(server, as_suggested) == suggested
    assert label_of(server, right) in CLASSES
    assert label_of(server, out) == "removed"
    assert label_of(server, later) is None
    assert label_of(server, wrong) == CLASSES[2]
    until(lambda: number(page, "saved") == 6)
    assert number(page, "left") == left - 5  # the one that was put off is still there
    assert page.locator("#last button").count() == 6
    page.locator("#last button").first.click()
    assert shown(page) == wrong
    page.keyboard.press("1")
    until(lambda: label_of(server, wrong) == CLASSES[0])
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("2")  # a dialog is open: this labels nothing
    page.keyboard.press("Escape")
    waiting = until(lambda: shown(page))
    page.keyboard.press("i")
    page.wait_for_url(f"**/p/{waiting}")
    assert label_of(server, waiting) is None


def test_a_focused_button_takes_the_space(server: Server, context: Any) -> None:
    send(server, 20, 3)
    page = context.new_page()
    page.goto("/label/sent")
    first = until(lambda: shown(page))
    page.locator("#classes button").nth(1).focus()
    page.keyboard.press(" ")
    until(lambda: label_of(server, first) == CLASSES[1])
    second = until(lambda: shown(page))
    page.locator("#classes button").nth(0).click()
    third = shown(page)
    page.keyboard.press(" ")  # a click keeps no focus: this is `later`, not the same class again
    until(lambda: number(page, "waiting") == 0)
    assert (label_of(server, second), label_of(server, third)) == (CLASSES[0], None)


def test_the_outbox_outlives_the_server_and_the_tab(server: Server, context: Any) -> None:
    send(server, 30, 6)
    page = context.new_page()
    page.goto("/label/sent")
    until(lambda: shown(page))
    server.kill()
    labelled = []
    for key in "1231":
        labelled.append(shown(page))
        page.keyboard.press(key)
    until(lambda: number(page, "waiting") == 4)
    assert page.locator("#unsaved").is_visible()
    page.close(run_before_unload=False)
    server.start()
    other = context.new_page()
    other.goto("/gen")  # any page sends what waits
    until(lambda: other.evaluate("Object.keys(localStorage).length") == 0)
    assert [label_of(server, one) for one in labelled] == [CLASSES[int(key) - 1] for key in "1231"]
    assert [len(server.get(f"/api/pictures/{one}")["events"]) for one in labelled] == [1] * 4


def test_an_answer_that_is_lost_makes_no_second_label(server: Server, context: Any) -> None:
    send(server, 40, 2)
    page = context.new_page()
    lost = []

    def lose(route: Any) -> None:
        if not lost:
            lost.append(route.fetch())  # the server saves it, the browser does not hear of it
            route.abort()
        else:
            route.continue_()

    page.route("**/api/labels", lose)
    page.goto("/label/sent")
    first = until(lambda: shown(page))
    page.keyboard.press("2")
    until(lambda: number(page, "saved") == 1)
    assert lost
    assert len(server.get(f"/api/pictures/{first}")["events"]) == 1


def test_two_people_do_not_overwrite_each_other(server: Server, context: Any) -> None:
    send(server, 50, 2)
    page = context.new_page()
    page.goto("/label/sent")
    first = until(lambda: shown(page))
    theirs = {"key": "theirs", "sha256": first, "kind": "label", "class": "cross", "was": None, "queue": None}
    assert server.post("/api/labels", [theirs])["results"][0]["status"] == "saved"
    page.keyboard.press("1")
    until(lambda: page.locator("#refused").is_visible())
    assert label_of(server, first) == "cross"
    page.locator("#refused button").first.click()  # use mine
    until(lambda: label_of(server, first) == "circle")
    until(lambda: page.locator("#refused").is_hidden())


def test_a_picture_is_judged_and_corrected(server: Server, context: Any) -> None:
    page = context.new_page()
    page.goto("/")
    files = [{"name": f"{number}.png", "mimeType": "image/png", "buffer": png(number)} for number in (60, 61)]
    page.locator("#files").set_input_files(files[:1])
    until(lambda: page.locator("#answer .answer").count())
    answer = page.locator("#answer .answer").text_content()
    other = next(name for name in CLASSES if name != answer)
    page.get_by_role("button", name=other, exact=True).click()
    until(lambda: page.locator("#unsaved").is_hidden())
    link = page.get_by_role("link", name="Look inside").get_attribute("href")
    assert label_of(server, link.removeprefix("/p/")) == other
    page.get_by_role("button", name="Undo").click()
    until(lambda: label_of(server, link.removeprefix("/p/")) is None)
    page.locator("#files").set_input_files(files)
    until(lambda: page.locator("#strip li").count() == 3)
    for kind in ("paste", "drop"):
        page.evaluate(TRANSFER, kind)
    until(lambda: page.locator("#strip li").count() == 5)
    page.locator("#files").set_input_files([{"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"}])
    until(lambda: page.locator(".toast.bad").count())


def test_the_grid_takes_a_range(server: Server, context: Any) -> None:
    send(server, 100, 30)
    page = context.new_page()
    page.route("**/anchors?*", lambda _: None)  # never answered: pictures in sight do not need them
    page.goto("/review/sent")
    until(lambda: page.locator(".cell").count() >= 10)
    assert page.evaluate("document.querySelectorAll('*').length") <= 400
    page.locator(".cell").nth(1).click()
    page.locator(".cell").nth(5).click(modifiers=["Shift"])
    sources = "[...document.querySelectorAll('.cell[aria-selected=true] img')].map(image => image.dataset.source)"
    chosen = [source.split("/")[3] for source in page.evaluate(sources)]
    assert len(chosen) == 5
    page.keyboard.press("3")
    until(lambda: page.locator("#unsaved").is_hidden() and page.locator(".cell[data-done]").count() == 5)
    assert [label_of(server, one) for one in chosen] == ["empty"] * 5
    page.keyboard.press("Backspace")
    until(lambda: page.locator(".cell[data-done]").count() == 0 and page.locator("#unsaved").is_hidden())
    assert [label_of(server, one) for one in chosen] == [None] * 5
    page.unroute("**/anchors?*")
    page.goto("/review/all")
    until(lambda: page.locator(".cell").count() >= 10)
    page.locator("select[name=class]").select_option("cross")
    until(lambda: page.locator(".cell").first.get_attribute("data-text") == "cross")
    page.locator("#grid").focus()
    page.keyboard.press("End")
    total = int(page.locator("#total").text_content().split()[0])
    until(lambda: page.locator(f"#cell-{total - 1}").count())


def test_the_owner_makes_a_token_and_revokes_it(server: Server, context: Any) -> None:
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/label")
    page.get_by_role("link", name="Bots and helpers").click()
    page.get_by_label("Name").fill("ann @ home")
    page.get_by_label("Role").select_option("labeller")
    page.get_by_label("Name").press("Enter")
    token = page.locator("code.token")
    until(token.count)
    asked = {"headers": {"authorization": f"Bearer {token.text_content()}"}}
    assert page.request.get("/api/queues", **asked).status == 200
    assert page.request.get("/api/tokens", **asked).status == 403
    page.get_by_role("button", name="Revoke ann @ home").click()
    until(page.get_by_text("Revoked").count)
    assert page.request.get("/api/queues", **asked).status == 401


def test_the_reader_may_choose_the_language(server: Server, context: Any) -> None:
    page = context.new_page()
    page.goto("/label")
    page.get_by_role("link", name="日本語").click()
    until(lambda: page.evaluate("document.documentElement?.lang") == "ja")
    until(lambda: "届いた画像" in page.locator("main").text_content())
    page.goto("/")
    picture = {"name": "half.png", "mimeType": "image/png", "buffer": png(1)[:200]}
    page.locator("input[type=file]").first.set_input_files(picture)
    until(page.get_by_text("画像ファイルが壊れています。").count)
    assert "the picture is truncated" in page.locator(".toast .hint").text_content()


def test_nobody_is_left_out(server: Server, browser: Any) -> None:
    """axe-core finds nothing, and nothing is wider than the window; every page on a small or a large screen here.

    `scripts/serve_check access` looks at every page on both, light and dark.
    """
    axe = axe_source()
    if axe is None:
        pytest.skip("needs axe-core (pip install '.[dev]')")
    (sha256,) = send(server, 200, 1)
    paths = pages(sha256, blob="conv")
    small, large = ("dark", 320, paths[::2]), ("light", 1400, paths[1::2])
    for scheme, width, some in (small, large):
        assert barriers(browser, server, some, axe=axe, picture=png(200), scheme=scheme, width=width) == {}


def test_the_whole_loop(tmp_path: Path, browser: Any) -> None:
    """A client reports a wrong answer; labelled by key, taken over and trained, it is right in the next generation."""
    make_project(tmp_path)
    with Server(tmp_path) as server:
        context = profile(browser, server, viewport={"width": 1400, "height": 900}, locale="en")
        pictures = [drawn("cross", number) for number in range(40)]
        wrong = [one for one in pictures if server.send(one)["label"] != "cross"]
        assert wrong  # the first generation's weights are random
        sha256 = server.send(wrong[0])["sha256"]
        server.post(f"/api/pictures/{sha256}/report", {"class": "cross", "note": "this is a cross"})
        page = context.new_page()
        page.goto("/label/sent")
        until(lambda: shown(page))
        page.keyboard.press(" ")  # it comes again at the end

        def all_labelled() -> bool:
            while shown(page):
                page.keyboard.press("2")
            return bool(server.get("/api/queues")["queues"][0]["count"] == 0)

        until(all_labelled)
        assert label_of(server, sha256) == "cross"
        page.goto("/loop")
        button = page.get_by_role("button", name="Take over")
        until(button.is_enabled)
        button.click()
        until(page.locator("#takeover").get_by_text("Taken over.").count)
        page.get_by_role("button", name="Prepare", exact=True).click()
        until(lambda: len(server.get("/api/generations")["generations"]) == 2)
        train = page.get_by_role("button", name="Train", exact=True)
        until(lambda: "Trains generation 2" in page.locator("#train").text_content() and train.is_enabled())
        page.get_by_label("Iterations").fill("120")
        train.click()
        until(lambda: server.get("/api/generations/2")["state"] == "trained")
        until(lambda: page.locator("#train canvas").count())
        compare = page.get_by_role("button", name="Compare generation 1 with 2")
        until(lambda: compare.count() and compare.is_enabled())
        assert server.get("/api/generations")["live"].startswith("gen1/")  # until somebody promotes the new one
        compare.click()
        promote = page.get_by_role("button", name="Promote generation 2")
        until(promote.count)
        promote.click()
        until(lambda: server.send(wrong[0])["snapshot"].startswith("gen2/"))
        assert server.send(wrong[0])["label"] == "cross"
        until(lambda: "Generation 2 is live" in page.locator("#compare").text_content())
        context.close()

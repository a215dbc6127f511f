"""A real server and a real browser: `wf serve` in a process of its own, Chromium without a window."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian's package chromium)")


class Server:
    """`wf serve` on a free port, which it keeps when it is started again."""

    def __init__(self, root: Path) -> None:
        self.root, self.port = root, 0
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workflow", "serve", "--port", str(self.port)],
            cwd=self.root,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        said = ""
        for line in self.process.stderr:
            said += line
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
                self.port = int(found[1])
                return
        raise AssertionError(f"wf serve ended: {said}")

    def kill(self) -> None:
        """End it at once."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """End it as Ctrl-C does."""
        self._end(signal.SIGINT)

    def _end(self, number: int) -> None:
        self.process.send_signal(number)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.close()

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> Any:
        """What the API answers."""
        return self.call("GET", path)

    def post(self, path: str, data: bytes | object, kind: str = "application/json") -> Any:
        """The same for a POST of JSON, or of a file."""
        return self.call("POST", path, data if isinstance(data, bytes) else json.dumps(data).encode(), kind)

    def call(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> Any:
        """The same for any method."""
        headers = {} if body is None else {"Content-Type": kind}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def send(self, picture: bytes) -> Any:
        """Send a picture, as a bot does."""
        return self.post("/api/judge", picture, "image/png")


@contextmanager
def chromium() -> Iterator[Any]:
    """Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"], timeout=120_000
        )
        yield browser
        browser.close()


def profile(browser: Any, server: Server, **options: Any) -> Any:
    """A fresh profile of the browser, whose pages open the server's; a busy machine has time for each step."""
    made = browser.new_context(base_url=server.url, **options)
    made.set_default_timeout(120_000)
    return made


def until(condition: Callable[[], Any], seconds: float = 120) -> Any:
    """Wait until something holds; gives it. The page's own policy forbids Playwright's `wait_for_function`.

    What takes longer is asked for less often: asking takes time from what is waited for.
    """
    begun = time.monotonic()
    while not (found := condition()):
        waited = time.monotonic() - begun
        assert waited < seconds, "waited in vain"
        time.sleep(min(0.3, 0.02 + waited / 10))
    return found


def pages(sha256: str, *, blob: str = "conv1") -> list[str]:
    """Every page, with a picture and a channel that exist."""
    named = ["/", "/label", "/label/sent", "/review", "/review/all", "/gen", "/gen/1", f"/gen/1/{blob}/3", "/loop"]
    return [*named, f"/p/{sha256}", "/tokens", "/login", "/nothing"]


def axe_source() -> str | None:
    """axe-core, which finds what keeps people out of a page; None where it is not installed."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        return None
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def barriers(
    browser: Any,
    server: Server,
    paths: list[str],
    *,
    axe: str,
    picture: bytes,
    scheme: str,
    width: int,
    language: str = "en",
) -> dict[str, list[list[str]]]:
    """What keeps people out of each page: rules of axe-core with the elements, and whether it is too wide.

    Also what no page may do: ask another host, or run into an error or into its own policy. The page that judges is
    looked at with the answer for a picture, those with a dialog of keys with it and without.
    """
    context = profile(browser, server, viewport={"width": width, "height": 800}, color_scheme=scheme, locale=language)
    complaints = watch(context, server)
    page = context.new_page()
    found = {}
    for path in paths:
        page.goto(path)
        until(lambda: not page.locator("[aria-busy=true]").count())
        if path == "/":
            page.locator("#files").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": picture})
            until(page.locator("#answer .answer").count)
        faults = _axe(page, axe)
        if page.locator("#helpbutton").count():
            page.locator("#helpbutton").click()
            faults += _axe(page, axe)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append(["wider than the window"])
        if faults or complaints:
            found[path] = faults + [[one] for one in complaints]
        complaints.clear()
    context.close()
    return found


def _axe(page: Any, axe: str) -> list[list[str]]:
    if page.evaluate("!window.axe"):
        page.evaluate(axe)
    found: list[list[str]] = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map("
        "one => [one.id, ...one.nodes.map(node => node.html.slice(0, 200))]))"
    )
    return found


def watch(context: Any, server: Server) -> list[str]:
    """A list that gets what goes wrong in a browser's pages: errors, refusals of the policy, requests elsewhere."""
    found: list[str] = []
    context.on("weberror", lambda error: found.append(str(error.error)))
    context.on("console", lambda line: found.append(line.text) if "Content Security" in line.text else None)
    context.on("request", lambda one: None if one.url.startswith(server.url) else found.append(one.url))
    return found

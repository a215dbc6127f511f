"""The pages: their frames, their words in every language, and nothing inline in them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import pytest
from served import HOST, TestClient, make_state

import workflow.web
from workflow.web.app import create_app
from workflow.web.state import State
from workflow.web.words import LANGUAGES, preferred, words

WEB = Path(workflow.web.__file__).parent
SHA = "0" * 64
PAGES = (
    "/",
    f"/p/{SHA}",
    "/label",
    "/label/sent",
    "/review",
    "/review/all",
    "/gen",
    "/gen/1",
    "/gen/1/conv1/3",
    "/loop",
    "/tokens",
    "/login",
)
HTML = {"accept": "text/html,*/*;q=0.8"}
SCRIPTS = sorted((WEB / "static").glob("*.js"))
TEMPLATES = sorted((WEB / "templates").glob("*.j2"))


class Inline(HTMLParser):
    """Collects what a strict policy forbids, and where the page points."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.faults.append(tag)
        self.faults += [name for name in names if name == "style" or name.startswith("on")]
        self.targets += [value for name in ("src", "href", "action") if (value := names.get(name)) is not None]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_has_nothing_inline_and_asks_no_other_host(client: TestClient, path: str, language: str) -> None:
    answer = client.get(path, headers=HTML | {"accept-language": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    assert answer.text.count("<h1") == 1
    found = Inline(answer.text)
    assert found.faults == []
    assert [one for one in found.targets if not re.match(r"/(?!/)|[?#]", one)] == []
    for one in found.targets:
        if one.startswith("/static/"):
            assert client.get(one.partition("#")[0]).status_code == 200, one


def test_the_language_is_the_readers(client: TestClient) -> None:
    japanese = client.get("/loop?lang=ja", headers=HTML)
    assert japanese.url.path == "/loop"
    assert 'lang="ja"' in japanese.text.partition("<head>")[0]
    assert 'lang="ja"' in client.get("/", headers=HTML).text.partition("<head>")[0]  # it is kept
    client.get("/?lang=en")
    client.cookies.clear()


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("de,ja;q=0.5,en;q=0.3", "ja"),
        ("en-US,ja;q=0.9", "en"),
        ("ja;q=0", "en"),
        ("x;q=y", "en"),
    ],
)
def test_preferred_language(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


def test_an_error_is_told_in_the_readers_language(state: State) -> None:
    own = make_state(state.project.root)
    with TestClient(create_app(own), base_url=HOST, client=("203.0.113.9", 1)) as labeller:
        token = own.inbox.add_token("helper who reads Japanese", "labeller")
        asking = HTML | {"authorization": f"Bearer {token}"}
        message = "a labeller&#39;s token may not GET /loop"
        assert f"<h1>{message}</h1>" in labeller.get("/loop", headers=asking | {"accept-language": "en"}).text
        told = labeller.get("/loop", headers=asking | {"accept-language": "ja"}).text
        assert f"<h1>この操作は許可されていません。</h1><p>{message}</p>" in told


def test_a_page_that_does_not_exist_is_a_page_for_people(client: TestClient) -> None:
    for path in ("/nothing", "/p/xyz", "/gen/x", "/label/A", "/gen/1/conv1/-1"):
        answer = client.get(path, headers=HTML)
        assert (answer.status_code, "There is no such page" in answer.text) == (404, True), path
    assert client.get("/api/nothing", headers=HTML).json()["error"]["message"]
    assert client.get("/nothing").json()["error"]["message"]  # a program


def test_without_a_token_a_browser_comes_to_the_login(state: State) -> None:
    with TestClient(create_app(make_state(state.project.root)), base_url=HOST, client=("203.0.113.9", 1)) as stranger:
        assert stranger.get("/login", headers=HTML).status_code == 200
        used = stranger.get("/login?token=unknown", headers=HTML, follow_redirects=False)
        assert (used.status_code, "was used before" in used.text, 'id="token"' in used.text) == (401, True, True)
        for path in set(PAGES) - {"/login"}:
            answer = stranger.get(path, headers=HTML, follow_redirects=False)
            assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={path}")
            assert stranger.get(path).status_code == 401


def test_a_labeller_sees_the_pages_that_labelling_needs(state: State) -> None:
    own = make_state(state.project.root)
    with TestClient(create_app(own), base_url=HOST, client=("203.0.113.9", 1)) as labeller:
        text = own.inbox.add_token("helper of the pages", "labeller")
        asking = HTML | {"authorization": f"Bearer {text}"}
        found = labeller.get("/label", headers=asking).text
        assert [one in found for one in ('href="/review"', 'href="/loop"', 'data-role="labeller"')] == [
            True,
            False,
            True,
        ]
        refused = labeller.get("/loop", headers=asking)
        assert refused.status_code == 403
        assert "may not" in refused.text


def test_a_project_name_is_text(state: State) -> None:
    class Project:
        root = Path("/tmp/<b>cats")  # nothing is written

    from starlette.requests import Request

    from workflow.web.page import page

    request = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []})
    other = make_state(state.project.root)
    other.project = Project()  # type: ignore[assignment]
    text = bytes(page(request, other, "judge").body).decode()
    assert "<b>" not in text
    assert "&lt;b&gt;cats" in text


# ---- words


def base(key: str) -> str:
    """A key without the plural form."""
    return re.sub(r"\.(one|other)$", "", key)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_languages_have_the_same_words_and_values() -> None:
    english, *others = [words(language) for language in LANGUAGES]
    for other in others:
        assert list(other) == list(english)
        assert {key for key in english if fields(english[key]) != fields(other[key])} == set()
        assert [key for key, text in other.items() if not text.strip()] == []
    for key in english:
        if key.endswith(".one"):
            assert key.removesuffix("one") + "other" in english


def test_every_key_that_is_used_has_words_and_every_word_is_used() -> None:
    known = {base(key) for key in words("en")}
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*SCRIPTS, *TEMPLATES, *WEB.rglob("*.py")])
    named = set(re.findall(r"""["'`]([a-z]+\.[a-z.]*[a-z])["'`]""", text))
    rooms = {key.partition(".")[0] for key in known}
    files = {".js", ".py", ".html", ".css", ".json", ".svg"}
    asked = {key for key in named if key.partition(".")[0] in rooms and Path(key).suffix not in files}
    assert {key for key in asked if key not in known and not any(one.startswith(f"{key}.") for one in known)} == set()
    built = {re.escape(part) for part in re.findall(r"`([a-z]+\.[a-z.]*)\$\{", text)}
    built |= {re.escape(part) for part in re.findall(r"""t\(["']([a-z]+\.)["'] [+~]""", text)} | {
        r"title\.",
        r"queue\.",
    }
    patterns = re.compile("|".join(built))
    assert {key for key in known if key not in named and not patterns.match(key)} == set()


def test_text_in_scripts_comes_from_the_words() -> None:
    """No sentence for the reader is written in a script: two words and a capital letter look like one."""
    for path in SCRIPTS:
        code = re.sub(r"^\s*(//|/?\*).*$|\s// .*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert re.findall(r'"[A-Z][a-z]+ [a-z]+[^"]*"', code) == [], path.name


def test_scripts_put_no_markup_together() -> None:
    for path in SCRIPTS:
        code = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", code), (
            path
        )
        assert not re.search(r"""setAttribute\(["']style|https?://(?!www\.w3\.org/2000/svg)""", code), path


def test_locales_are_plain_json() -> None:
    for language in LANGUAGES:
        text = (WEB / "locales" / f"{language}.json").read_text(encoding="utf-8")
        assert json.dumps(json.loads(text), ensure_ascii=False, indent=2) + "\n" == text

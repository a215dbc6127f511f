"""What passes the guard, and what does not."""

from __future__ import annotations

import base64
import errno
import hashlib
from pathlib import Path

import pytest
from served import HOST, TestClient, make_state, png, serving

from workflow.web.app import create_app
from workflow.web.security import HEADERS
from workflow.web.state import State

PICTURE = {"content-type": "image/png"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1:9"}, 421),
        ({"host": "127.0.0.1:8000@evil.example"}, 400),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:9000"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"authorization": "Bearer nothing"}, 401),
        ({"authorization": "Basic eDp4"}, 401),
        ({"x-forwarded-for": "203.0.113.9"}, 401),
        ({"host": "localhost:8000"}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:8000"}, 200),
        ({"sec-fetch-site": "none"}, 200),
    ],
    ids=str,
)
def test_headers_decide(client: TestClient, headers: dict[str, str], status: int) -> None:
    answer = client.post("/api/judge", content=png(), headers=PICTURE | headers)
    assert answer.status_code == status
    if status != 200:
        assert set(answer.json()["error"]) == {"id", "message", "hint"}


def test_a_request_from_elsewhere_needs_a_token(state: State) -> None:
    with serving(state.project.root, client="203.0.113.9") as (client, _):
        assert client.post("/api/judge", content=png(), headers=PICTURE).status_code == 401
        assert client.get("/healthz").status_code == 200


def test_behind_a_proxy_nobody_is_the_owner_without_a_token(state: State) -> None:
    """A proxy on this machine passes on what strangers send: all of it comes from the loopback interface."""
    with serving(state.project.root, names=("bot.example",)) as (client, _):
        assert client.post("/api/judge", content=png(), headers=PICTURE).status_code == 401
        named = client.get("/healthz", headers={"host": "bot.example"})
        assert named.status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/api/judge", "/nothing"])
def test_every_answer_has_the_headers(client: TestClient, path: str) -> None:
    found = client.get(path).headers
    assert {name: found[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in found["content-security-policy"]


def test_bodies_are_limited(client: TestClient, state: State) -> None:
    def halves() -> object:
        for _ in range(22):
            yield bytes(2**20)

    told = client.post("/api/judge", headers=PICTURE | {"content-length": "99999999999999999999"}, content=b"x")
    assert told.status_code == 413
    assert client.post("/api/judge", headers=PICTURE, content=halves()).status_code == 413
    assert client.post("/api/judge", headers=PICTURE | {"content-length": "x"}, content=b"x").status_code == 400
    assert state.limits.held == 0


def test_a_login_code_opens_once_and_its_cookie_stays(state: State) -> None:
    from workflow.web.login import login_code

    with serving(state.project.root, client="203.0.113.9", host="0.0.0.0", names=("127.0.0.1",)) as (client, own):
        code = login_code(own)
        page = client.get("/login?next=//evil.example", headers={"accept": "text/html"})
        assert page.status_code == 404
        first = client.get(f"/login?token={code}&next=/loop", follow_redirects=False)
        assert (first.status_code, first.headers["location"]) == (303, "/loop")
        cookie = first.headers["set-cookie"]
        assert cookie.startswith("wf-8000=")
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert code not in cookie
        assert client.get("/api/jobs").status_code == 200
        client.cookies.clear()
        assert client.get("/api/jobs").status_code == 401
        assert client.get(f"/login?token={code}", follow_redirects=False).status_code == 401
        assert client.post("/login", json={"token": "x"}).status_code == 401
        text = own.inbox.add_token("phone", "owner")
        assert client.post("/login", json={"token": text}).status_code == 204
        assert client.get("/api/jobs").status_code == 200
        own.inbox.revoke("phone")
        assert client.get("/api/jobs").status_code == 401


def test_a_method_that_is_not_taken_names_those_that_are(client: TestClient) -> None:
    for path, methods in (("/api/jobs", "GET, POST"), ("/api/jobs/1", "DELETE, GET"), ("/api/undo", "POST")):
        answer = client.put(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)


def test_a_bug_is_an_answer_and_a_line_in_the_log(state: State, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(make_state(state.project.root))

    async def boom() -> None:
        raise ZeroDivisionError("by zero")

    async def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/inbox")

    for name, function in (("boom", boom), ("full", full)):
        app._app.add_api_route(f"/api/{name}", function)  # type: ignore[attr-defined]
    with TestClient(app, base_url=HOST, client=("127.0.0.1", 1)) as client:
        answer = client.get("/api/boom")
        assert (answer.status_code, answer.json()["error"]["message"]) == (
            500,
            "this is a bug in wf: ZeroDivisionError",
        )
        assert [one.exc_info[0] for one in caplog.records if one.exc_info] == [ZeroDivisionError]
        answer = client.get("/api/full")
        assert (answer.status_code, answer.json()["error"]["message"]) == (507, "/inbox: no space left on device")


def test_a_report_loads_nothing_but_its_own_style(client: TestClient, state: State) -> None:
    from workflow.report.page import render

    page = state.project.generations[0].folder / "report.html"
    style = "body { color: red }"
    page.write_text(f"<!doctype html><style>{style}</style><p>report")
    answer = client.get("/api/generations/1/report")
    page.unlink()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    template = Path(render.__code__.co_filename).parent / "templates" / "report.html.j2"
    assert " style=" not in template.read_text()  # an attribute would need unsafe-hashes
    assert "<script" not in template.read_text()
